drop table public.stripe_events;
drop table public.fraud_warnings;
drop table public.payment_disputes;

drop index public.payment_transactions_invoice_idx;
drop index public.payment_transactions_processed_at_idx;
drop index public.payment_transactions_charge_idx;
alter table public.payment_transactions
    drop column failure_message,
    drop column invoice_pdf,
    drop column disputed_amount,
    drop column refunded_amount,
    drop column tax_amount,
    drop column payment_id,
    drop column plan_id,
    drop column order_id;

alter table public.subscriptions
    drop column recurring_interval_count,
    drop column recurring_interval,
    drop column recurring_currency,
    drop column recurring_amount,
    drop column latest_invoice_id,
    drop column stripe_price_id,
    drop column stripe_schedule_id,
    drop column pending_plan_id,
    drop column past_due_since,
    drop column ended_at;

drop table public.payment_orders;
drop table public.stripe_customers;
