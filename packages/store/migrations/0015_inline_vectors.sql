-- Vectors lie in the rows they belong to, where they fit into a page: comparing them one after the other is several times as fast as with
-- each of them in TOAST. Rows of before stay as they are until they are written again.
set local lock_timeout = '10s';
-- Main: out of the row only where it is larger than a page.
alter table sluice.staged_chunks alter column embedding set storage main, set (toast_tuple_target = 8160);
do $$
declare
  collection record;
  bytes int;
begin
  for collection in select id, storage, dimensions from sluice.collections loop
    bytes := 8 + collection.dimensions * case collection.storage when 'vector' then 4 else 2 end;
    if bytes <= 7600 then
      execute format(
        'alter table sluice.chunks_%s alter column embedding set storage plain, set (toast_tuple_target = %s)',
        collection.id, least(8160, bytes + 2032)
      );
    end if;
  end loop;
end
$$;
