// Stripe's Node library judges the cases of a JSON file: a list of true and false, one for each case.
// node verdicts.mjs CASES FOLDER: where the library is installed.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';

const [cases, folder] = process.argv.slice(2);
const library = createRequire(resolve(folder, 'package.json'))('stripe');
const Stripe = library.default ?? library;
const stripe = new Stripe('sk_test_unused');

const verdict = (each) => {
    const body = Buffer.from(each.body, 'base64');
    return each.secrets.some((secret) => {
        try {
            stripe.webhooks.signature.verifyHeader(
                body, each.header, secret, each.tolerance, undefined, each.now * 1000);
            return true;
        } catch (error) {
            if (error.type !== 'StripeSignatureVerificationError') throw error;
            return false;
        }
    });
};

console.log(JSON.stringify(JSON.parse(readFileSync(cases, 'utf8')).map(verdict)));
