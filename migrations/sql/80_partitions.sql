-- The log takes rows from the first moment; a scheduled job keeps it so.
do $$
begin
    perform public.activity_logs_maintain(now());
end
$$;
