// Stripe's own Node library drives the fake through a subscription, a refund and a dispute.
//
// usage: node drive.mjs DIRECTORY, where the answers of the drive go as answers-node.json

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';

const modules = createRequire(path.resolve(process.env.EYEMOTION_STRIPE_NODE, 'here.js'));
const Stripe = modules('stripe');
const DAY = 86_400;

const program = spawn(process.env.EYEMOTION_STRIPE_FAKE, ['--port', '0'], {
  stdio: ['pipe', 'pipe', 'inherit'],
});
const [address] = await once(createInterface({ input: program.stdout }), 'line');
const url = new URL(address);

async function control(name, params = {}) {
  const body = new URLSearchParams(params);
  const answer = await fetch(new URL(`_fake/${name}`, url), { method: 'POST', body });
  const told = await answer.json();
  assert.equal(answer.status, 200, JSON.stringify(told));
  return told;
}

async function drive() {
  const { secret_key: key, webhook_secret: secret, now } = await control('secrets');
  const stripe = new Stripe(key, {
    host: url.hostname,
    port: url.port,
    protocol: 'http',
    maxNetworkRetries: 0,
    telemetry: false,
  });
  const customer = await stripe.customers.create({ email: 'b@example.com', name: 'Busaba' });
  const product = await stripe.products.create({ name: 'Studio' });
  const price = (amount, lookup_key) =>
    stripe.prices.create({
      product: product.id,
      currency: 'thb',
      unit_amount: amount,
      recurring: { interval: 'month' },
      lookup_key,
      transfer_lookup_key: true,
    });
  const old = await price(89_900, 'studio');
  const studio = await price(99_900, 'studio');
  assert.equal((await stripe.prices.retrieve(old.id)).lookup_key, null);
  await stripe.prices.update(old.id, { active: false });
  const { data: found } = await stripe.prices.list({ lookup_keys: ['studio'], active: true });
  assert.deepEqual(found.map(({ id }) => id), [studio.id]);
  await assert.rejects(price(500, 'small'), { code: 'amount_too_small' });

  const pro = await price(299_900, 'pro');
  let session = await stripe.checkout.sessions.create({
    mode: 'subscription',
    success_url: 'https://eyemotion.test/done',
    customer: customer.id,
    line_items: [{ price: studio.id, quantity: 1 }],
  });
  const expired = await stripe.checkout.sessions.create({
    mode: 'payment',
    success_url: 'https://eyemotion.test/done',
    payment_method_types: ['card', 'promptpay'],
    line_items: [
      { quantity: 1, price_data: { currency: 'thb', unit_amount: 5_000, product_data: { name: 'Credits' } } },
    ],
  });
  assert.equal((await stripe.checkout.sessions.expire(expired.id)).status, 'expired');
  await control('complete_checkout', { session: session.id });
  session = await stripe.checkout.sessions.retrieve(session.id, { expand: ['subscription', 'invoice'] });
  assert.equal(session.invoice.status, 'paid');
  const [item] = session.subscription.items.data;
  await control('advance', { seconds: 3 * DAY });

  await control('set_card', { customer: customer.id, card: 'declined' });
  const swap = {
    items: [{ id: item.id, price: pro.id }],
    proration_behavior: 'always_invoice',
  };
  await assert.rejects(
    stripe.subscriptions.update(item.subscription, { ...swap, payment_behavior: 'error_if_incomplete' }),
    { code: 'card_declined', statusCode: 402 },
  );
  const waiting = await stripe.subscriptions.update(item.subscription, {
    ...swap,
    payment_behavior: 'pending_if_incomplete',
  });
  assert.equal(waiting.items.data[0].price.id, studio.id);
  assert.equal(waiting.pending_update.subscription_items[0].price.id, pro.id);
  await control('set_card', { customer: customer.id, card: 'visa' });
  await stripe.invoices.pay(waiting.latest_invoice);
  const swapped = await stripe.subscriptions.retrieve(item.subscription, { expand: ['latest_invoice.payments'] });
  assert.equal(swapped.items.data[0].price.id, pro.id);
  assert.equal(swapped.pending_update, null);

  const [payment] = swapped.latest_invoice.payments.data;
  const intent = await stripe.paymentIntents.retrieve(payment.payment.payment_intent);
  const refund = await stripe.refunds.create({ payment_intent: intent.id, amount: 1_000 });
  assert.equal((await stripe.refunds.retrieve(refund.id)).status, 'succeeded');
  const dispute = await control('dispute', { charge: intent.latest_charge });
  await stripe.disputes.update(dispute.id, { evidence: { customer_name: 'Busaba' }, submit: true });
  assert.equal((await control('close_dispute', { dispute: dispute.id, won: 'false' })).status, 'lost');

  const invoices = [];
  for await (const invoice of stripe.invoices.list({ customer: customer.id, limit: 1 })) {
    invoices.push(invoice.billing_reason);
  }
  assert.deepEqual(invoices, ['subscription_update', 'subscription_create']);
  await stripe.subscriptions.cancel(item.subscription);
  await stripe.customers.del(customer.id);

  const events = [];
  for await (const event of stripe.events.list({ limit: 50, created: { gte: now } })) {
    events.push(event);
  }
  assert.equal(events[0].type, 'customer.deleted');
  const payload = JSON.stringify(events[0]);
  const { header, body } = { header: (await control('sign', { body: payload })).header, body: payload };
  const event = stripe.webhooks.constructEvent(body, header, secret, 10 * DAY);
  assert.equal(event.id, events[0].id);
  const generated = stripe.webhooks.generateTestHeaderString({ payload, secret, timestamp: now });
  assert.equal((await control('sign', { body: payload, t: now })).header, generated);
  assert.throws(() => stripe.webhooks.constructEvent(`${body} `, header, secret, 10 * DAY));
}

try {
  await drive();
  const answers = await control('answers');
  await writeFile(path.join(process.argv[2], 'answers-node.json'), JSON.stringify(answers));
  console.log(`stripe ${Stripe.PACKAGE_VERSION} for Node drove the fake through ${answers.length} requests`);
} finally {
  program.stdin.end();
}
