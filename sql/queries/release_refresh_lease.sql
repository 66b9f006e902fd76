-- $1 what is refreshed, $2 holder.
delete from bucketferry.refresh_lease where target = $1 and holder = $2
