package e2e

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"allocation/deploy/story"
	"allocation/deploy/testbed"
	"allocation/deploy/testbed/proxy"
)

// topics have their names by default: nobody shares the servers.
var topics = story.Topics{
	OrderCommands: "orders.commands", OrderEvents: "orders.events", OrderLetters: "orders.commands.dlq",
	StockCommands: "warehouse.commands", StockEvents: "allocation.events", StockLetters: "warehouse.commands.dlq",
	Tasks: "warehouse.tasks", WarehouseEvents: "warehouse.events", TaskLetters: "warehouse.tasks.dlq",
}

// session is after how long a worker that says nothing loses its partitions.
const session = 3 * time.Second

// services are the three of them, on servers of their own. They reach Postgres by a way that may be
// cut.
type services struct {
	t        *testing.T
	kafka    *testbed.KafkaServer
	postgres *testbed.PostgresServer
	way      *proxy.Proxy
	cartTime time.Duration
	of       []*service
}

// service is one of the three, with its workers.
type service struct {
	name, prefix, program string
	environment           []string
	workers               []*testbed.Process
}

// startServices starts two workers of each service, with one applier each, because six of them
// share the machine, and with more settings.
func startServices(t *testing.T, cartTime time.Duration, settings ...string) *services {
	t.Helper()
	s := &services{t: t, cartTime: cartTime, of: []*service{{name: "allocation"}, {name: "orders", prefix: "ORDERS_"}, {name: "warehouse", prefix: "WAREHOUSE_"}}}
	built := s.all(func(each *service) (err error) {
		each.program, err = testbed.Build("allocation/cmd/" + each.name)
		return err
	})
	s.kafka, s.postgres, s.way = testbed.StartKafka(t), testbed.StartPostgres(t), testbed.Proxy(t)
	require.NoError(t, <-built)
	database, err := url.Parse(s.postgres.URL())
	require.NoError(t, err)
	s.way.Lead(database.Host)
	database.Host = s.way.Addr()
	for _, each := range s.of {
		each.environment = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")}
		for name, value := range map[string]string{
			"KAFKA_BROKERS": s.kafka.Brokers(), "DATABASE_URL": database.String(), "APPLIERS": "1", "LOG_FORMAT": "text", "KAFKA_SESSION_TIMEOUT": session.String(),
		} {
			each.environment = append(each.environment, each.prefix+name+"="+value)
		}
		for _, setting := range settings {
			each.environment = append(each.environment, each.prefix+setting)
		}
	}
	s.of[1].environment = append(s.of[1].environment, "ORDERS_CART_TIME="+cartTime.String())
	require.NoError(t, <-s.all(func(each *service) error {
		return errors.Join(each.run("migrate", "up"), each.run("topics", "create", "--partitions", "4"))
	}))
	for _, each := range s.of {
		each.workers = make([]*testbed.Process, 2)
		for i := range each.workers {
			s.start(each, i)
		}
	}
	return s
}

// all does something with each service at once, and tells how it went.
func (s *services) all(do func(*service) error) <-chan error {
	each, all := make(chan error, len(s.of)), make(chan error, 1)
	for _, of := range s.of {
		go func() { each <- do(of) }()
	}
	go func() { all <- errors.Join(<-each, <-each, <-each) }()
	return all
}

// run runs a subcommand to its end.
func (of *service) run(args ...string) error {
	cmd := exec.Command(of.program, args...)
	cmd.Env = of.environment
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", of.name, strings.Join(args, " "), err, out)
	}
	return nil
}

func (s *services) start(of *service, i int) {
	s.t.Helper()
	of.workers[i] = testbed.StartPrefixedWorker(s.t, of.prefix, of.program, of.environment...)
}

// running requires that no worker ended by itself.
func (s *services) running() {
	s.t.Helper()
	for _, each := range s.of {
		for _, w := range each.workers {
			require.True(s.t, w.Running(), "a worker of %s ended by itself: %v", each.name, w.Err())
		}
	}
}
