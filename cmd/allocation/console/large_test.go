package console_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"allocation/cmd/allocation/console"
	"allocation/cmd/allocation/event"
	"allocation/cmd/allocation/program"
	"allocation/cmd/internal/config"
	engine "allocation/cmd/internal/console"
	"allocation/cmd/internal/operate/try"
	"allocation/cmd/internal/service"
	"allocation/deploy/testbed"
	"allocation/store"
	"allocation/store/products"
)

// fillSQL makes $1 lines, a thousand of each product, with five events each over eight days, by
// twelve partitions. Every tenth waits. A transaction has 100 commands.
const fillSQL = `
create temporary table made as
select k, k %% 12 + 1 as source, k / 12 as n, outbox_today() - (7 - k * 8 / %[1]d)::integer as day, 's' || k / 1000 as sku,
    'b' || k / 1000 || '-' || k %% 50 as ref, k / 50 %% 10 = 0 as waits
from generate_series(0, %[1]d - 1) k;

insert into positions (topic, partition, topic_id, next_offset, next_row, published_row, epoch, owner, claimed_at, moved_at)
select '%[2]s', p, gen_random_uuid(), %[1]d, %[1]d, %[1]d, 1, 'bench', now(), now() from generate_series(0, 11) p;
insert into claims select source, 1, 'bench', now() from positions;

insert into products (sku, version, waiting, last_source, last_row)
select sku, 5000, 100, (array_agg(source order by k desc))[1], max(n) * 5 + 4 from made group by sku;
insert into batches (ref, sku, qty, allocated, eta, first_qty, last_source, last_row, last_day)
select ref, min(sku), 100, 18, case when min(k) %% 50 > 25 then date '2030-01-01' + (min(k) %% 50)::integer end, 100, min(source), min(n) * 5, min(day) from made group by ref;
insert into lines (orderid, sku, lineid, qty, placed, state, batchref, last_source, last_row, last_day, placed_at)
select 'o' || k, sku, '', case when waits then 90 else 1 end, k %% 1000 + 1, case when waits then 'waiting' else 'allocated' end::line_state, case when not waits then ref end, source, n * 5 + 4, day, day
from made;

insert into outbox (source, row_no, day, command_offset, event_no, type, key, subject, sequence, value, command_id, correlation_id, command_time, key_back,
    previous_source, previous_row, previous_day)
select source, n * 5 + e, day, n * 5 + e, 0, (array['OutOfStock', 'Allocated', 'Deallocated', 'OutOfStock', 'Allocated'])[e + 1], sku, 'o' || k, (k %% 1000) * 5 + e + 1,
    convert_to(format('{"orderid":"o%%s","sku":"%%s","qty":1,"batchref":"%%s"}', k, sku, ref), 'UTF8'), 'command-' || k || '-' || e, 'cart-' || k, 0, nullif(e, 0),
    case when e > 0 then source end, case when e > 0 then n * 5 + e - 1 end, case when e > 0 then day end
from made, generate_series(0, 4) e;

insert into transactions (source, replays, from_offset, to_offset, from_row, to_row, epoch, committed_at, day)
select source, 0, min(n) * 5, max(n) * 5 + 5, min(n) * 5, max(n) * 5 + 5, 1, case when day = outbox_today() then now() - interval '1 day' * (1 - min(k) %% (%[1]d / 8) * 8.0 / %[1]d) else day end, day
from made group by source, n / 20, day;
drop table made`

const oldDaysSQL = `
do $$
declare d date; whole text;
begin
    foreach whole in array array['outbox', 'transactions'] loop
        for d in select generate_series(outbox_today() - 7, outbox_today() - 2, interval '1 day')::date loop
            execute format('create table %I (like %I including all)', whole || '_' || to_char(d, 'YYYYMMDD'), whole);
            execute format('alter table %I attach partition %I for values from (%L) to (%L)', whole, whole || '_' || to_char(d, 'YYYYMMDD'), d, d + 1);
        end loop;
    end loop;
end $$`

// large is a console of a database with so many lines, as it runs.
func large(b *testing.B, lines int, topic string) *engine.Console {
	b.Helper()
	url := testbed.Migrated(b)
	filling := testbed.Connect(b, url)
	for _, statements := range []string{oldDaysSQL, fmt.Sprintf(fillSQL, lines, topic), `vacuum analyze outbox, transactions, lines, batches, products`} {
		_, err := filling.Exec(b.Context(), statements)
		require.NoError(b, err)
	}
	db, err := store.Open(b.Context(), store.Options{URL: url, Service: products.Service, Owner: "bench", Adjust: engine.Adjust})
	require.NoError(b, err)
	b.Cleanup(db.Close)
	owner, err := store.Open(b.Context(), store.Options{URL: url, Service: products.Service})
	require.NoError(b, err)
	defer owner.Close()
	_, err = owner.IndexDays(b.Context())
	require.NoError(b, err)
	var size string
	require.NoError(b, filling.QueryRow(b.Context(), `select pg_size_pretty(pg_database_size(current_database()))`).Scan(&size))
	b.Logf("%d lines: the database has %s", lines, size)
	c, err := engine.New(b.Context(), engine.Options{
		Program: program.New(nil, io.Discard, io.Discard, service.Hooks{}), Store: db, Product: console.Product(), Payloads: engine.PayloadsFull,
		Kafka:  config.Kafka{Brokers: testbed.Kafka(b), SecurityProtocol: "PLAINTEXT"},
		Events: config.Events{EventsTopic: testbed.Topic(b, "events", 1)}, Logger: slog.New(slog.DiscardHandler),
	})
	require.NoError(b, err)
	b.Cleanup(c.Close)
	return c
}

// BenchmarkWhy shows how long people wait for an answer, with as many lines as BENCH_LINES says and
// five events of each: the 99th percentile of so many questions and pages, on warm connections.
func BenchmarkWhy(b *testing.B) {
	lines := 20_000
	if text := os.Getenv("BENCH_LINES"); text != "" {
		var err error
		lines, err = strconv.Atoi(text)
		require.NoError(b, err)
	}
	topic := testbed.Topic(b, "large", 12)
	c := large(b, lines, topic)
	b.Run("questions", func(b *testing.B) { questions(b, products.View{Store: c.Store}, lines, topic) })
	b.Run("pages", func(b *testing.B) { pages(b, c, lines, topic) })
}

func questions(b *testing.B, v products.View, lines int, topic string) {
	hour := time.Now().Add(-time.Hour)
	for name, ask := range map[string]func(k int) error{
		"order": func(k int) error { _, err := v.OrderStory(b.Context(), fmt.Sprint("o", k), "", 100); return err },
		"batch": func(k int) error {
			_, err := v.BatchStory(b.Context(), fmt.Sprintf("b%d-%d", k/1000, k%50), 100)
			return err
		},
		"position": func(k int) error {
			_, err := v.Way(b.Context(), store.RecordID{Topic: topic, Partition: int32(k % 12), Offset: int64(k / 12 * 5)})
			return err
		},
		"try": func(k int) error {
			var commands try.Commands
			commands.Add(try.Command{Type: "ChangeBatchQuantity", Data: fmt.Appendf(nil, `{"batchref":"b%d-%d","sku":"s%[1]d","qty":10}`, k/1000, k%50)})
			_, err := commands.Try(b.Context(), v.Store, event.Words, 100)
			return err
		},
		"id of a day that is over": func(k int) error {
			_, err := v.FindCommands(b.Context(), fmt.Sprintf("command-%d-1", k/2), time.Now(), 10)
			return err
		},
		"id of the last hour": func(k int) error {
			_, err := v.FindCommands(b.Context(), fmt.Sprintf("command-%d-1", lines-1-k%(lines/8)), hour, 10)
			return err
		},
	} {
		measure(b, name, lines, func(b *testing.B, k int) { require.NoError(b, ask(k)) })
	}
}

// pages asks for each page of the console.
func pages(b *testing.B, c *engine.Console, lines int, topic string) {
	for _, path := range []string{
		"/", "/product?id=s{product}", "/order?id=o{line}", "/letters", "/partitions", "/command?id={topic}.{partition}.{offset}",
		"/products", "/products?waiting=1&sku-prefix=s{batch}", "/products?free=1", "/batches", "/batches?sku=s{product}", "/batches?free=1&due-before=2030-01-10",
		"/lines", "/lines?sku=s{product}", "/lines?state=allocated", "/lines?batch=b{product}-{batch}", "/lines?older-than=1d",
		"/orders", "/orders?prefix=o{line}", "/orders?waiting=1", "/batch?id=b{product}-{batch}",
		"/try?commands=ChangeBatchQuantity+batchref%3Db{product}-{batch}+qty%3D0",
	} {
		measure(b, path, lines, func(b *testing.B, k int) {
			answer := httptest.NewRecorder()
			parts := strings.NewReplacer("{line}", fmt.Sprint(k), "{product}", fmt.Sprint(k/1000), "{batch}", fmt.Sprint(k%50),
				"{topic}", topic, "{partition}", fmt.Sprint(k%12), "{offset}", fmt.Sprint(k/12*5))
			c.ServeHTTP(answer, httptest.NewRequestWithContext(b.Context(), "GET", "http://localhost"+parts.Replace(path), nil))
			require.Equal(b, 200, answer.Code, answer.Body.String())
		})
	}
}

func measure(b *testing.B, name string, lines int, ask func(b *testing.B, k int)) {
	b.Run(name, func(b *testing.B) {
		var took []time.Duration
		k := 0
		for b.Loop() {
			k = (k + 7_919*997) % lines
			began := time.Now()
			ask(b, k)
			took = append(took, time.Since(began))
		}
		slices.Sort(took)
		b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
		b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
		b.ReportMetric(0, "ns/op")
	})
}
