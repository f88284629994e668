-- Plans and buckets of the product. A repeat changes nothing; a change here reaches existing databases. What an operator
-- sets (stripe_price_id, is_active) stays. Ids are fixed, so that a backup fits every database. The owner is under the
-- policies too, so this writes as service_role.

do $$
begin
    perform set_config('role', 'service_role', true);
    perform set_config('request.jwt.claim.role', 'service_role', true);
    perform set_config('request.jwt.claim.sub', '', true);
    perform set_config('request.jwt.claims', '', true);

    insert into public.subscription_plans as plan
        (id, name, display_name, description, price, credits_included, storage_gb, features, sort_order)
    values
        ('01970000-0000-7000-8000-000000000001', 'freemium', 'Freemium',
            'The basic editor, with a watermark', 0, 100, 1,
            '["basic_editing", "watermark", "limited_exports"]', 1),
        ('01970000-0000-7000-8000-000000000002', 'creator', 'Creator',
            'HD export and basic AI tools', 29900, 1000, 5,
            '["hd_export", "basic_ai"]', 2),
        ('01970000-0000-7000-8000-000000000003', 'pro', 'Pro',
            '4K export, advanced AI tools and priority support', 99900, 5000, 50,
            '["4k_export", "advanced_ai", "priority_support"]', 3),
        ('01970000-0000-7000-8000-000000000004', 'studio', 'Studio',
            'Unlimited export, premium AI tools, white label and API access', 299900, 20000, 500,
            '["unlimited_export", "premium_ai", "white_label", "api_access"]', 4)
    on conflict (name, billing_interval) do update set
        display_name = excluded.display_name, description = excluded.description, price = excluded.price,
        credits_included = excluded.credits_included, storage_gb = excluded.storage_gb,
        features = excluded.features, sort_order = excluded.sort_order
    where (plan.display_name, plan.description, plan.price, plan.credits_included, plan.storage_gb, plan.features,
            plan.sort_order)
        is distinct from (excluded.display_name, excluded.description, excluded.price, excluded.credits_included,
            excluded.storage_gb, excluded.features, excluded.sort_order);

    insert into public.storage_buckets (name, purpose) values
        ('eyemotion-projects', 'originals of project files'),
        ('eyemotion-uploads', 'uploads under way'),
        ('eyemotion-exports', 'rendered exports'),
        ('eyemotion-thumbnails', 'pictures made from originals')
    on conflict (name) do nothing;

    -- Only at the first time: from then on prices are the operators'.
    insert into public.action_prices (id, action, unit, credits_per_unit, min, valid_from)
    select seed.* from (values
        ('01970000-0000-7000-8000-000000000101'::uuid, 'file_upload', 'gib', 10, 1, '2020-01-01 00:00:00Z'::timestamptz),
        ('01970000-0000-7000-8000-000000000102'::uuid, 'file_processing', 'item', 0, 0, '2020-01-01 00:00:00Z'::timestamptz)
    ) as seed (id, action, unit, credits_per_unit, min, valid_from)
    where not exists (select from public.action_prices as known where known.action = seed.action);

    perform set_config('request.jwt.claim.role', '', true);
    perform set_config('role', 'none', true);
end
$$;
