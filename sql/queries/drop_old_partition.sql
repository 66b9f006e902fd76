-- One partition of jobs or parts that is past; null: there is none. $1 history in ms.
select bucketferry.drop_old_partition($1) as name
