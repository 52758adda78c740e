package program

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/config"
	"allocation/cmd/internal/operate/send"
	"allocation/cmd/warehouse/language"
	"allocation/domain/strictjson"
	"allocation/domain/warehouse"
	engine "allocation/store"
	store "allocation/store/warehouse"
)

// simulateCommand is "simulate" on the command line.
type simulateCommand struct {
	config.Database
	config.Kafka
	config.Commands
	Seed      uint64        `placeholder:"N" help:"What is decided follows from it and from the ledger; a random one without it."`
	SKU       string        `name:"skus" default:"CHAIR,DESK,LAMP,SHELF,SOFA,TABLE" placeholder:"SKU,…" help:"The articles."`
	Stock     string        `default:"100" placeholder:"N" help:"How much of each article there should be that nobody was given."`
	Rate      float64       `default:"2" placeholder:"N" help:"How much happens in a second, on average. Now and then, 20 things happen at once."`
	Duration  time.Duration `placeholder:"TIME" help:"Stop after so long."`
	Shipments string        `default:"0" placeholder:"N" help:"Stop after so many shipments were announced; 0: go on."`
}

// Help is what --help adds.
func (simulateCommand) Help() string {
	return `Plays the people of the warehouse until Ctrl-C: announces shipments and has them arrive, damages and counts goods. It looks at the ledger, so that
stock neither starves nor grows without bound. Where Kafka or Postgres is away it says so, and tries on.

What is picked and sent is the worker's.

Examples:

    ${program} simulate --rate 10
    ${program} simulate --seed 7 --skus CHAIR,LAMP --shipments 20`
}

// Run plays until the context ends.
func (c *simulateCommand) Run(ctx context.Context, p *cli.Program) error {
	problems := p.Problems()
	c.Kafka.Check(problems)
	c.Commands.Check(problems)
	s := &simulation{last: map[string]int64{}, topic: c.CommandTopicNames()[0], most: problems.Integer("shipments", c.Shipments, 0, 1_000_000_000)}
	s.Seed, s.Articles, s.Stock = c.Seed, strings.Split(c.SKU, ","), int64(problems.Integer("stock", c.Stock, 1, 1_000_000))
	for _, sku := range s.Articles {
		if !strictjson.IsIdentifier(sku) || len(sku) > warehouse.MaxSKU {
			problems.Add("skus", c.SKU, fmt.Sprintf("names of 1 to %d bytes, separated by commas", warehouse.MaxSKU))
		}
	}
	if c.Rate < 0.01 || c.Rate > 10_000 {
		problems.Add("rate", fmt.Sprint(c.Rate), "a number from 0.01 to 10000")
	}
	if err := problems.Err(); err != nil {
		return err
	}
	if s.Seed == 0 {
		s.Seed = rand.Uint64()
	}
	if c.Duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.Duration)
		defer cancel()
	}
	if err := s.open(ctx, p, c); err != nil {
		return err
	}
	defer s.close()
	p.Tell("seed %d", s.Seed)
	s.play(ctx, p, c.Rate)
	_, err := fmt.Fprintf(p.Out, "sent %s tasks to %s, with %s shipments\n", cli.Count(s.sent), s.topic, cli.Count(int64(s.announced)))
	return err
}

// simulation sends what a simulator decides.
type simulation struct {
	warehouse.Simulator
	topic           string
	most, announced int              // shipments
	last            map[string]int64 // the number of the last that was announced, by SKU
	sent            int64

	db     *engine.Store
	client *kgo.Client
}

func (s *simulation) open(ctx context.Context, p *cli.Program, c *simulateCommand) (err error) {
	if s.db, err = p.OpenStore(ctx, c.Database); err != nil {
		return err
	}
	s.client, err = p.ConnectKafka(ctx, c.Kafka, kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)), kgo.RecordDeliveryTimeout(10*time.Second), kgo.ProducerLinger(0))
	if err != nil {
		s.db.Close()
		return err
	}
	if err = cli.RequireTopic(ctx, s.client, s.topic); err != nil {
		s.close()
	}
	return err
}

func (s *simulation) close() {
	s.client.Close()
	s.db.Close()
}

// play has so much happen in a second, until the context ends, or enough was announced.
func (s *simulation) play(ctx context.Context, p *cli.Program, rate float64) {
	for step := int64(0); ctx.Err() == nil && !s.enough(); {
		steps := s.Steps(step)
		for end := step + steps; step < end && !s.enough(); step++ {
			if err := s.do(ctx, p, step); err != nil && ctx.Err() == nil {
				p.Tell("step %d is left out: %v", step, err)
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Duration(float64(steps) / rate * float64(time.Second))):
		}
	}
}

func (s *simulation) enough() bool { return s.most > 0 && s.announced >= s.most }

func (s *simulation) do(ctx context.Context, p *cli.Program, step int64) error {
	sku := s.Article(step)
	articles, err := store.Articles(ctx, s.db, sku)
	if err != nil {
		return err
	}
	ledger := &warehouse.Ledger{}
	if len(articles) > 0 {
		ledger = &articles[0].Ledger
	}
	task := s.Next(step, sku, ledger)
	if task == nil {
		return nil
	}
	data, err := json.Marshal(task.Data)
	if err != nil {
		return err
	}
	id := fmt.Sprintf("simulate.%d.%d", s.Seed, step)
	message := &send.Message{Command: task.Name, Data: data, ID: id, Key: sku}
	if err := s.client.ProduceSync(ctx, language.Warehouse.Record(message, s.topic, "/"+p.Name+"/simulate")).FirstErr(); err != nil {
		return err
	}
	s.sent++
	if task.Name == "AnnounceShipment" && task.Shipment > s.last[sku] { // else the ledger has not heard of it yet
		s.last[sku] = task.Shipment
		s.announced++
	}
	return nil
}
