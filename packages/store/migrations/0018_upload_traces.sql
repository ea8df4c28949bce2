-- The trace of the request that brought the upload (W3C Trace Context), for jobs that have to be made anew.
alter table sluice.uploads add column traceparent text;
