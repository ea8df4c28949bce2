-- The instant that a string of metadata says, by the rule of readDatetime in packages/contract; null for any other value. Never
-- an error, so that it can be indexed, and the same whatever the settings of the session, as every text it casts is ISO with an
-- offset: hence immutable.
create function sluice.instant(value jsonb) returns timestamptz language sql immutable strict parallel safe as $$
  select case when text ~ '^(?!0000)[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])(T([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?(Z|[+-](0[0-9]|1[0-5]):[0-5][0-9]))?$' then
    case when substr(text, 9, 2)::int <= extract(day from (substr(text, 1, 7) || '-01')::date + interval '1 month - 1 day')
      then (case length(text) when 10 then text || 'T00:00:00Z' else text end)::timestamptz end
  end
  from (select case jsonb_typeof(value) when 'string' then value #>> '{}' end as text) string
$$;
