"""Verifies an access token with PyJWT, knowing nothing but the published keys.

usage: pyjwt.py JWKS_FILE TOKEN_FILE ISSUER AUDIENCE
Prints the claims as JSON. Fails if the token is not good, or if a changed one is.
"""

import json
import sys

import jwt

jwks_file, token_file, issuer, audience = sys.argv[1:]
with open(jwks_file) as file:
    keys = jwt.PyJWKSet.from_json(file.read())
with open(token_file) as file:
    token = file.read().strip()

header = jwt.get_unverified_header(token)
assert header["typ"] == "at+jwt", header
key = keys[header["kid"]]


def verify(token, audience=audience):
    return jwt.decode(
        token,
        key.key,
        algorithms=["ES256"],
        issuer=issuer,
        audience=audience,
        options={"require": ["exp", "iat", "iss", "aud", "sub", "jti"]},
    )


claims = verify(token)
message, signature = token.rsplit(".", 1)
for bad, said in [(f"{message}.{signature[::-1]}", audience), (token, "somebody else")]:
    try:
        verify(bad, said)
    except jwt.InvalidTokenError:
        continue
    sys.exit("a bad token was taken")
print(json.dumps(claims))
