// A certified OpenID provider with one client and one person, for the tests of signing in through one.
// Arguments: client id, client secret, redirect URI. Prints its issuer once it listens on a port of 127.0.0.1.
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

const [clientId, clientSecret, redirectUri] = process.argv.slice(2);

const person = {
  sub: 'ada-of-oidc',
  email: 'ada@oidc.example.com',
  email_verified: true,
  name: 'Ada of OIDC',
  picture: 'https://avatars.example.com/oidc',
};

const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: clientId,
        client_secret: clientSecret,
        redirect_uris: [redirectUri],
        response_types: ['code'],
        grant_types: ['authorization_code'],
      },
    ],
    claims: {
      email: ['email', 'email_verified'],
      profile: ['name', 'picture'],
    },
    // As Google does: what the scopes name is in the ID token.
    conformIdTokenClaims: false,
    cookies: { keys: ['a key for a test'] },
    findAccount: (_ctx, sub) => ({ accountId: sub, claims: () => ({ ...person, sub }) }),
    // Whatever name and password are typed into its pages, they are this person's.
    features: { devInteractions: { enabled: true } },
    pkce: { required: () => true },
  });
  server.on('request', provider.callback());
  console.log(issuer);
});
