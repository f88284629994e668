drop trigger if exists list_change on public.credit_lots;
drop function if exists public.list_account(), public.list_change(text);
alter table public.credit_txns drop column price_id, drop column quantity;
drop table public.action_prices;
drop table public.credit_hold_lines;
drop table public.credit_holds;
