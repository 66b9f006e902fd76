-- What is left of the scrape's time, for the next statement of this transaction.
-- $1 milliseconds, as text. One row.
select set_config('statement_timeout', $1, true) as timeout
