drop index public.activity_logs_actor_idx;
drop index public.activity_logs_about_idx;
drop index public.credit_txns_actor_idx;

alter table public.payment_transactions
    drop constraint payment_transactions_user_id_fkey,
    add constraint payment_transactions_user_id_fkey foreign key (user_id)
        references auth.users (id) on delete restrict;
alter table public.credit_lot_moves
    drop constraint credit_lot_moves_txn_id_user_id_fkey,
    add constraint credit_lot_moves_txn_id_user_id_fkey foreign key (txn_id, user_id)
        references public.credit_txns (id, user_id) on delete restrict,
    drop constraint credit_lot_moves_lot_id_user_id_fkey,
    add constraint credit_lot_moves_lot_id_user_id_fkey foreign key (lot_id, user_id)
        references public.credit_lots (id, user_id) on delete restrict;
alter table public.credit_entries
    drop constraint credit_entries_txn_id_user_id_fkey,
    add constraint credit_entries_txn_id_user_id_fkey foreign key (txn_id, user_id)
        references public.credit_txns (id, user_id) on delete restrict;
alter table public.credit_txns
    drop constraint credit_txns_user_id_fkey,
    add constraint credit_txns_user_id_fkey foreign key (user_id) references auth.users (id) on delete restrict;
alter table public.credit_lots
    drop constraint credit_lots_user_id_fkey,
    add constraint credit_lots_user_id_fkey foreign key (user_id) references auth.users (id) on delete restrict;
alter table public.credit_wallets
    drop constraint credit_wallets_user_id_fkey,
    add constraint credit_wallets_user_id_fkey foreign key (user_id) references auth.users (id) on delete restrict;
alter table public.subscriptions
    drop constraint subscriptions_user_id_fkey,
    add constraint subscriptions_user_id_fkey foreign key (user_id) references auth.users (id) on delete restrict;

drop function public.credit_txns_rename_actor(uuid, uuid);
drop function public.activity_logs_pseudonymise(uuid, text, uuid, integer);
drop table auth.account_deletions;
