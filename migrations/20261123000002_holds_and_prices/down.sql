alter table public.credit_txns drop column price_id, drop column quantity;
drop table public.action_prices;
drop table public.credit_hold_lines;
drop table public.credit_holds;
