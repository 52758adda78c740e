package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"time"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/internal/cli"
)

const (
	stopTime   = time.Minute
	freezeTime = 30 * time.Second // longer than a worker's session of 10 s
	cutTime    = 10 * time.Second
	earlyTime  = 5 * time.Second

	heldEvery  = 100 * time.Millisecond // it is asked whether a product is held
	heldWithin = 15 * time.Second       // a product that is poisoned is held, also where its worker is frozen
)

// The topics that the demo writes to, and the prefixes of types there.
const (
	stockTopic, stockTypes         = "warehouse.commands", "allocation.v1."
	warehouseTopic, warehouseTypes = "warehouse.tasks", "warehouse.v1."
	factsTopic                     = "allocation.events"
)

// all are the troubles that the page has.
func (t *troubles) all() []*trouble {
	return []*trouble{
		{
			id: "stop-orders", title: "Stop orders for a minute", lasts: stopTime, begin: t.stopOrders,
			does:  "Ends the worker of orders, in order, and starts it again a minute later. The shop stays open: it only writes down what customers ask for.",
			seen:  "The counts of orders stand still. Stock and the warehouse go on with what they have; what the shop takes waits on its topic. After the minute it is worked off within seconds.",
			mends: "Itself: nobody has to do anything.",
		},
		{
			id: "freeze-worker", title: "Freeze a worker of stock", lasts: freezeTime, begin: t.freezeWorker,
			does:  "One of stock’s two workers stands still for 30 s (SIGSTOP), as on a machine that is overloaded.",
			seen:  "After 10 s, which is its session, the other worker has all partitions; only those stood still until then. When it wakes up, what it had begun is refused by the database, since others have its partitions: nothing is done twice.",
			mends: "Itself: nobody has to do anything.",
		},
		{
			id: "cut-postgres", title: "Cut Postgres", lasts: cutTime, begin: t.cutPostgres,
			does:  "Stops Postgres, with all its sessions, for 10 s. All three services and this console have only this one.",
			seen:  "Pages say that the database cannot be read. Workers wait, and say so in their logs; the shop takes what customers ask for. Then all goes on where it was.",
			mends: "Itself: nobody has to do anything.",
		},
		{
			id: "duplicates", title: "Send duplicates", begin: t.sendDuplicates,
			does:  "Sends the last records of stock’s commands and of its events again, byte for byte, as Kafka’s clients may.",
			seen:  "Nothing changes. The page of a command shows that its repeat had no effect, and events that come again are ignored by their sequence. An Allocate whose line was cancelled meanwhile is refused, as a dead letter that harms nobody.",
			mends: "There is nothing to mend.",
		},
		{
			id: "early", title: "Send a command early", lasts: earlyTime, begin: t.sendEarly,
			does:  "Sends an Allocate for a new article, and 5 s later the batch that it needed.",
			seen:  "The Allocate is refused, since the article is not known: an open dead letter, unknown_sku. The batch comes too late for it.",
			mends: "The command that is shown, which retries the dead letter: then it gets its goods. Until then it harms nobody.",
		},
		{
			id: "halve", title: "Halve a batch", begin: t.halve,
			does:  "Half of what is on the shelf of the fullest batch is damaged. The warehouse finds that out, and tells stock.",
			seen:  "The batch’s page says which lines lost their goods, and where they went. Lost goes up, free or allocated goes down, and it still adds up.",
			mends: "Itself: new goods come.",
		},
		{
			id: "poison", title: "Poison a product", lasts: newerTime, begin: t.poison,
			does:  "Sends an Allocate of version 2, which no worker knows yet.",
			seen:  "The product is held: its commands wait behind the dead letter, in order. All other products go on.",
			mends: "Itself: after 2 minutes the worker refuses it, and what waited is applied. Its dead letter stays open then, unknown_type, and harms nobody. Discarding it by the command that is shown ends all at once.",
		},
	}
}

func (t *troubles) stopOrders(ctx context.Context, h *happened) (func(context.Context) error, error) {
	h.did("ended process %d, the worker of orders; its log is %s", t.orders.PID(), t.LogPath(t.orders.Name()))
	t.orders.Pause(ctx, stopTime)
	h.page("live events: those of stock go on", "/events", "")
	h.command("prints how orders is: no worker, and a lag that grows", "orders status")
	return func(ctx context.Context) error {
		wait(ctx, stopTime)
		return t.ready(ctx)
	}, nil
}

func (t *troubles) freezeWorker(_ context.Context, h *happened) (func(context.Context) error, error) {
	worker := t.stock[rand.IntN(len(t.stock))]
	host, err := os.Hostname()
	if err != nil {
		return nil, err
	}
	owner := fmt.Sprintf("%s/%d", host, worker.PID())
	h.did("sent SIGSTOP to process %d, which is the worker %s; SIGCONT follows after 30 s", worker.PID(), owner)
	h.page("who has which partition", "/partitions", "")
	h.command("prints who has which partition, and how far each is", "allocation offsets list")
	h.command("says that the worker is back, and what it lost", "tail -n 20 "+t.LogPath(worker.Name()))
	return func(ctx context.Context) error {
		worker.Freeze(ctx, freezeTime)
		return t.ready(ctx)
	}, nil
}

func (t *troubles) cutPostgres(_ context.Context, h *happened) (func(context.Context) error, error) {
	h.did("Postgres is stopped, and starts again after 10 s")
	h.page("how everything is, if the database can be read", "/", "")
	h.command("says why a worker is not ready", "curl http://"+t.health[0].addr+"/readyz")
	h.command("says for what the workers wait", "tail -n 20 "+t.LogPath(t.stock[0].Name()))
	return func(ctx context.Context) error {
		if err := t.CutPostgres(ctx, cutTime); err != nil {
			return err
		}
		return t.ready(ctx)
	}, nil
}

func (t *troubles) sendDuplicates(ctx context.Context, h *happened) (func(context.Context) error, error) {
	for topic, says := range map[string]string{stockTopic: "commands", factsTopic: "events"} {
		records, err := lastRecords(ctx, t.client, t.Brokers(), topic)
		if err != nil {
			return nil, err
		}
		if len(records) == 0 {
			return nil, errors.New("there is nothing yet on " + topic)
		}
		var again []*kgo.Record
		for _, r := range records {
			again = append(again, &kgo.Record{Topic: r.Topic, Key: r.Key, Value: r.Value, Headers: r.Headers})
		}
		if err := t.client.ProduceSync(ctx, again...).FirstErr(); err != nil {
			return nil, err
		}
		h.did("sent the last %d %s of %s again", len(again), says, topic)
		if topic == stockTopic {
			id := idOf(again[0])
			h.Links = append(h.Links, link{Says: "a command that came twice", Path: "/command", ID: id, FromTopic: "1"})
			h.command("says what became of it, both times", cli.Quote("allocation", "explain", "command", id, "--from-topic"))
		}
	}
	return nil, nil // it is over
}

func (t *troubles) sendEarly(ctx context.Context, h *happened) (func(context.Context) error, error) {
	n := fmt.Sprint(time.Now().Unix() % 1_000_000_000)
	sku, order := "EARLY-"+n, "early-"+n
	r, err := t.send(ctx, stockTopic, stockTypes+"Allocate", sku, map[string]any{"orderid": order, "sku": sku, "qty": 3})
	if err != nil {
		return nil, err
	}
	letter := position(r)
	h.did("sent Allocate of 3 of %s for the order %s, as %s", sku, order, idOf(r))
	h.did("the batch %s.1 of 5 comes 5 s later", sku)
	h.page("the dead letter", "/letter", letter)
	h.page("the article, once there is one", "/product", sku)
	h.command("has it applied again, now that there is a batch", cli.Quote("allocation", "dlq", "retry", letter))
	h.command("shows what it came to", cli.Quote("allocation", "explain", "order", order))
	return func(ctx context.Context) error {
		if !wait(ctx, earlyTime) {
			return nil
		}
		_, err := t.send(ctx, warehouseTopic, warehouseTypes+"AnnounceShipment", sku, map[string]any{"sku": sku, "shipment": 1, "qty": 5})
		return err
	}, nil
}

const fullestSQL = `
select l.sku, l.ref, l.received - l.lost - l.shipped - l.picked from warehouse.ledger_batches(null) l
where l.arrived and l.received - l.lost - l.shipped - l.picked >= 2 order by 3 desc, 2 limit 1`

func (t *troubles) halve(ctx context.Context, h *happened) (func(context.Context) error, error) {
	var sku, ref string
	var shelf, shipment int64
	if err := t.db.QueryRow(ctx, fullestSQL).Scan(&sku, &ref, &shelf); err != nil {
		return nil, fmt.Errorf("find the fullest batch: %w", err)
	}
	if _, err := fmt.Sscanf(ref[len(sku):], ".%d", &shipment); err != nil {
		return nil, err
	}
	id := uuid.NewString()
	r, err := t.send(ctx, warehouseTopic, warehouseTypes+"ReportDamage", sku, map[string]any{"sku": sku, "shipment": shipment, "report": id, "qty": shelf / 2})
	if err != nil {
		return nil, err
	}
	h.did("sent ReportDamage of %d of the %d on the shelf of %s, as %s", shelf/2, shelf, ref, idOf(r))
	h.page("the batch", "/batch", ref)
	h.page("its product", "/product", sku)
	h.command("says which lines lost their goods, and why", cli.Quote("allocation", "explain", "batch", ref))
	h.command("says what the warehouse made of the report", cli.Quote("warehouse", "explain", "command", idOf(r)))
	h.command("prints the ledger of the article", cli.Quote("warehouse", "ledger", sku))
	return nil, nil // it is over
}

const heldSQL = `select exists (select from allocation.held_keys where key = $1)`

func (t *troubles) poison(ctx context.Context, h *happened) (func(context.Context) error, error) {
	sku := articles[rand.IntN(len(articles))]
	r, err := t.send(ctx, stockTopic, "allocation.v2.Allocate", sku, map[string]any{"orderid": "poison", "sku": sku, "qty": 1, "wish": "a colour"})
	if err != nil {
		return nil, err
	}
	letter := position(r)
	h.did("sent allocation.v2.Allocate for %s, as %s", sku, letter)
	h.page("the product, and what holds it", "/product", sku)
	h.page("the dead letter, and what waits behind it", "/letter", letter)
	h.command("shows it", cli.Quote("allocation", "dlq", "show", letter))
	h.command("gives it up, and has what waits behind it applied", cli.Quote("allocation", "dlq", "discard", letter))
	return func(ctx context.Context) error { return t.whileHeld(ctx, sku) }, nil
}

// whileHeld returns when a product that was just poisoned is held no longer. One that was given up
// within a moment may never be seen held.
func (t *troubles) whileHeld(ctx context.Context, sku string) error {
	began, wasHeld := time.Now(), false
	for wait(ctx, heldEvery) && time.Since(began) < 2*newerTime {
		var held bool
		if err := t.db.QueryRow(ctx, heldSQL, sku).Scan(&held); err != nil {
			continue // Postgres may be cut
		}
		wasHeld = wasHeld || held
		if !held && (wasHeld || time.Since(began) > heldWithin) {
			return nil
		}
	}
	return ctx.Err()
}

// send sends a message as a CloudEvent.
func (t *troubles) send(ctx context.Context, topic, messageType, key string, data any) (*kgo.Record, error) {
	value, err := json.Marshal(data)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, cli.AnswerTime)
	defer cancel()
	return t.client.ProduceSync(ctx, &kgo.Record{Topic: topic, Key: []byte(key), Value: value, Headers: []kgo.RecordHeader{
		{Key: "content-type", Value: []byte("application/json")}, {Key: "ce_specversion", Value: []byte("1.0")}, {Key: "ce_source", Value: []byte("/demo")},
		{Key: "ce_type", Value: []byte(messageType)}, {Key: "ce_id", Value: []byte("demo-" + uuid.NewString())},
	}}).First()
}

// idOf is the id of a command.
func idOf(r *kgo.Record) string {
	for _, h := range r.Headers {
		if h.Key == "ce_id" {
			return string(h.Value)
		}
	}
	return ""
}

// position is where a record is, which is the name of its dead letter.
func position(r *kgo.Record) string { return fmt.Sprintf("%s.%d.%d", r.Topic, r.Partition, r.Offset) }
