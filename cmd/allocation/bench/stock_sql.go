package bench

// statements write the stock from the temporary tables. The rows of a source are numbered in this
// order: each product's batch, each product's first line, its second line and so on, the dispatch
// of those lines in the same order, and the rows of the product with open lines.
func (s stock) statements() []string {
	all := []string{productsSQL, mainBatchesSQL}
	if s.history > 0 {
		all = append(all, pastLinesSQL, pastEventsSQL)
	} else {
		all = append(all, createdSQL)
	}
	return append(all, advanceSQL, openBatchesSQL, openLinesSQL, openEventsSQL, openProductSQL, openAdvanceSQL, releaseSQL)
}

// pastOrderSQL makes the function that names the orders of past lines: random ones, or such that
// grow and are below all that will come.
func (s stock) pastOrderSQL() string {
	name := `md5(sku || '/' || k)`
	if s.orders == GrowingOrders {
		name = `'0' || lpad(to_hex(number * past + k), 15, '0')`
	}
	return `create function pg_temp.past_order(sku text, number bigint, past bigint, k bigint) returns text language sql immutable as $$ select ` + name + ` $$`
}

// Past lines are of one piece each, and have left the batch.
const (
	homesSQL = `
create temporary table bench_homes (sku text collate "C" primary key, number bigint, source integer, rank bigint, peers bigint, past bigint) on commit drop;
create temporary table bench_open (sku text collate "C", source integer, lines bigint, state line_state, refs text[], batchref text) on commit drop`

	productsSQL = `
insert into products (sku, version, waiting, last_source, last_row)
select sku, 1 + 2 * past, 0, source, peers * 2 * past + rank from bench_homes order by sku`

	mainBatchesSQL = `
insert into batches (ref, sku, qty, first_qty) select sku || '-main', sku, 1000000000 - past, 1000000000 from bench_homes order by sku`

	createdSQL = `
insert into outbox (source, row_no, command_offset, event_no, type, key, subject, sequence, value)
select source, rank, -1 - rank, 0, 'BatchCreated', sku, sku || '-main', 1,
    convert_to('{"ref":"' || sku || '-main","sku":"' || sku || '","qty":1000000000}', 'UTF8')
from bench_homes order by source, rank`

	pastLinesSQL = `
insert into lines (orderid, sku, lineid, qty, placed, state, batchref, last_source, last_row, last_day)
select pg_temp.past_order(sku, number, past, k), sku, '', 1, 2 + k, 'dispatched', sku || '-main', source, peers * (1 + past + k) + rank, (now() at time zone 'utc')::date
from bench_homes, generate_series(0, past - 1) k`

	pastEventsSQL = `
insert into outbox (source, row_no, command_offset, event_no, type, key, subject, sequence, value, previous_source, previous_row, previous_day)
select source, peers * (1 + past + k) + rank, -1 - (peers * (1 + past + k) + rank), 0, 'Dispatched', sku, pg_temp.past_order(sku, number, past, k), 2 + past + k,
    convert_to('{"orderid":"' || pg_temp.past_order(sku, number, past, k) || '","sku":"' || sku || '","qty":1,"batchref":"' || sku || '-main"}', 'UTF8'),
    source, peers * (1 + k) + rank, (now() at time zone 'utc')::date - 30
from bench_homes, generate_series(0, past - 1) k`

	advanceSQL = `
update positions p set next_row = h.peers * (1 + 2 * h.past) from (select distinct source, peers, past from bench_homes) h where h.source = p.source`

	// The first batch has the lines, where they are on one; the second comes later and can take
	// them all.
	openBatchesSQL = `
with b as (
    select p.source, p.next_row, o.sku, ref, n, case when batchref is null then 0 else lines end qty, case when ref = batchref then lines else 0 end allocated,
        case when n > 1 then date '2030-01-01' end eta
    from bench_open o join positions p using (source), unnest(refs) with ordinality u (ref, n)
), made as (
    insert into batches (ref, sku, qty, allocated, eta, first_qty, first_eta) select ref, sku, qty, allocated, eta, qty, eta from b
)
insert into outbox (source, row_no, command_offset, event_no, type, key, subject, sequence, value)
select source, next_row + n - 1, -(next_row + n), 0, 'BatchCreated', sku, ref, n,
    convert_to('{"ref":"' || ref || '","sku":"' || sku || '","qty":' || qty || coalesce(',"eta":"' || eta || '"', '') || '}', 'UTF8')
from b`

	openLinesSQL = `
insert into lines (orderid, sku, lineid, qty, placed, state, batchref, last_source, last_row, last_day)
select md5(sku || '/' || i), sku, '', case when batchref is null then 1 + i % 20 else 1 end, cardinality(refs) + 1 + i, state, batchref,
    p.source, p.next_row + cardinality(refs) + i, (now() at time zone 'utc')::date
from bench_open o join positions p using (source), generate_series(0, lines - 1) i`

	openEventsSQL = `
insert into outbox (source, row_no, command_offset, event_no, type, key, subject, sequence, value)
select l.last_source, l.last_row, -1 - l.last_row, 0, case l.state when 'waiting' then 'OutOfStock' else 'Allocated' end, sku, l.orderid, l.placed,
    convert_to('{"orderid":"' || l.orderid || '","sku":"' || sku || '","qty":' || l.qty || coalesce(',"batchref":"' || l.batchref || '"', '') || '}', 'UTF8')
from bench_open o join lines l using (sku) order by l.last_row`

	openProductSQL = `
insert into products (sku, version, waiting, last_source, last_row)
select sku, cardinality(refs) + lines, case state when 'waiting' then lines else 0 end, p.source, p.next_row + cardinality(refs) + lines - 1
from bench_open o join positions p using (source)`

	openAdvanceSQL = `update positions p set next_row = p.next_row + cardinality(refs) + lines from bench_open o where o.source = p.source`

	// All of it is published. Workers that hold a claim already are told to claim again, and find
	// it then.
	releaseSQL = `
with moved as (
    update positions p set published_row = next_row, token = gen_random_uuid(), epoch = epoch + 1 where next_row > 0 returning source
)
select pg_notify(current_schema() || '_nudge', source::text) from moved`
)
