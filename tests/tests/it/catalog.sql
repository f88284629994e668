-- The whole schema as lines of text, for comparing two states of it. Names and not numbers, so that order and identity
-- do not depend on the history of the cluster.
with
    ours as (select oid, nspname, nspacl from pg_namespace where nspname in ('auth', 'jobs', 'public')),
    relations as (
        select c.*, n.nspname || '.' || c.relname as name from pg_class c join ours n on n.oid = c.relnamespace
        where c.relname !~ '^__diesel')
select line from (
    select format('schema %s %s', nspname, nspacl) as line from ours
    union all
    select format('relation %s %s rls=%s forced=%s %s %s %s', name, relkind, relrowsecurity, relforcerowsecurity,
        relacl, reloptions, pg_get_expr(relpartbound, oid))
    from relations
    union all
    select format('column %s.%s %s %s not_null=%s %s %s %s', r.name, a.attnum, a.attname,
        format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attacl, a.attcollation,
        (select pg_get_expr(d.adbin, d.adrelid) from pg_attrdef d where d.adrelid = r.oid and d.adnum = a.attnum))
    from pg_attribute a join relations r on r.oid = a.attrelid where a.attnum > 0
    union all
    select format('constraint %s %s %s', r.name, k.conname, pg_get_constraintdef(k.oid))
    from pg_constraint k join relations r on r.oid = k.conrelid
    union all
    select format('index %s', pg_get_indexdef(i.indexrelid)) from pg_index i join relations r on r.oid = i.indrelid
    union all
    select format('trigger %s %s', pg_get_triggerdef(t.oid), t.tgenabled)
    from pg_trigger t join relations r on r.oid = t.tgrelid where not t.tgisinternal
    union all
    select format('policy %s %s %s %s %s %s %s', r.name, p.polname, p.polcmd, p.polpermissive,
        p.polroles::regrole[], pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))
    from pg_policy p join relations r on r.oid = p.polrelid
    union all
    select format('function %s %s', pg_get_functiondef(f.oid), f.proacl)
    from pg_proc f join ours n on n.oid = f.pronamespace
    union all
    select format('view %s %s', name, pg_get_viewdef(oid)) from relations where relkind = 'v'
) as everything
order by line collate "C"
