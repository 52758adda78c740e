package story

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Topics are the topics of the three services.
type Topics struct {
	OrderCommands, OrderEvents, OrderLetters string
	StockCommands, StockEvents, StockLetters string
	Tasks, WarehouseEvents, TaskLetters      string
}

// all are their names.
func (t *Topics) all() []string {
	return []string{t.OrderCommands, t.OrderEvents, t.OrderLetters, t.StockCommands, t.StockEvents, t.StockLetters, t.Tasks, t.WarehouseEvents, t.TaskLetters}
}

// Checker takes all records, and then finds what is wrong.
type Checker struct {
	topics   Topics
	ids      map[string]string // of topics, by their ids
	cartTime time.Duration

	orderEvents, stockEvents, warehouseEvents *stream

	commands  map[place]*command // of customers
	letters   map[place]letter
	customers map[string]*customer
	orders    map[string]*order
	products  map[string]*product
	shelves   map[string]*shelf // by the reference of the batch
	tasks     map[place]task
	reports   map[reportID]bool // that there were
	shipments map[string]int64  // the last number of each article that was to be announced
	asked     map[lineID]*asked

	ends    map[partition]int64 // behind the last record of each partition
	found   []Violation
	counted int
}

// New makes a checker. ids are the topics' ids, as the ids of events have them; cartTime is after
// how long what is in a cart expires.
func New(topics Topics, ids map[string]string, cartTime time.Duration) *Checker {
	c := &Checker{
		topics: topics, ids: map[string]string{}, cartTime: cartTime, orderEvents: newStream(), stockEvents: newStream(), warehouseEvents: newStream(),
		commands: map[place]*command{}, letters: map[place]letter{}, customers: map[string]*customer{}, orders: map[string]*order{},
		products: map[string]*product{}, shelves: map[string]*shelf{}, tasks: map[place]task{}, reports: map[reportID]bool{}, shipments: map[string]int64{}, asked: map[lineID]*asked{}, ends: map[partition]int64{},
	}
	for topic, id := range ids {
		c.ids[id] = topic
	}
	return c
}

// placeOf reads the place that the id of an event begins with: the id of a topic, a partition and
// an offset.
func (c *Checker) placeOf(id string) (at place, ok bool) {
	parts := strings.Split(id, ".")
	if len(parts) != 3 {
		return at, false
	}
	number, err := strconv.ParseInt(parts[1], 10, 32)
	offset, err2 := strconv.ParseInt(parts[2], 10, 64)
	topic, known := c.ids[parts[0]]
	return place{topic, int32(number), offset}, known && err == nil && err2 == nil
}

// partition is one of a topic.
type partition struct {
	topic  string
	number int32
}

// Take takes a record. Those of a partition come in their order.
func (c *Checker) Take(r *kgo.Record) {
	c.ends[partition{r.Topic, r.Partition}] = r.Offset + 1
	switch r.Topic {
	case c.topics.OrderLetters, c.topics.StockLetters, c.topics.TaskLetters:
		c.takeLetter(r)
		return
	}
	m := readMessage(r)
	switch r.Topic {
	case c.topics.Tasks:
		c.takeTask(m)
		return
	case c.topics.OrderCommands:
		c.takeCommand(m)
		return
	case c.topics.StockCommands:
		c.takeAsked(m)
		return
	}
	if m.unreadable != nil {
		c.report(RuleFold, string(r.Key), "%s cannot be read: %v", m, m.unreadable)
		return
	}
	switch r.Topic {
	case c.topics.OrderEvents:
		if c.orderEvents.isNew(c, m) {
			c.takeOrderEvent(m)
		}
	case c.topics.StockEvents:
		if c.stockEvents.isNew(c, m) {
			c.takeStockEvent(m)
		}
	case c.topics.WarehouseEvents:
		if c.warehouseEvents.isNew(c, m) {
			c.takeWarehouseEvent(m)
		}
	}
}

// Check finds what is wrong, now that all records were taken.
func (c *Checker) Check(t *Tables) []Violation {
	c.endProducts()
	c.checkCommands()
	c.checkAsked()
	c.checkLetters(t)
	c.checkVIPs()
	c.checkLines()
	c.checkPlaced()
	c.checkReady()
	c.checkExpired()
	c.checkShelves()
	c.checkTasks()
	c.checkTables(t)
	c.checkServices(t)
	return c.found
}

// maxViolations are as many as anybody may want to read.
const maxViolations = 10_000

func (c *Checker) report(rule, about, format string, args ...any) {
	if c.counted++; c.counted <= maxViolations {
		c.found = append(c.found, Violation{rule, about, fmt.Sprintf(format, args...)})
	}
}
