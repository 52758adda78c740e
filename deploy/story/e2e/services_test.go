package e2e

import (
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
	of       []*service
}

// service is one of the three, with its workers.
type service struct {
	name, prefix, program string
	environment           []string
	workers               []*testbed.Process
}

// startServices starts two workers of each service.
func startServices(t *testing.T, cartTime time.Duration) *services {
	t.Helper()
	s := &services{t: t, kafka: testbed.StartKafka(t), postgres: testbed.StartPostgres(t), way: testbed.Proxy(t)}
	database, err := url.Parse(s.postgres.URL())
	require.NoError(t, err)
	s.way.Lead(database.Host)
	database.Host = s.way.Addr()
	for _, each := range []*service{{name: "allocation"}, {name: "orders", prefix: "ORDERS_"}, {name: "warehouse", prefix: "WAREHOUSE_"}} {
		each.program, err = testbed.Build("allocation/cmd/" + each.name)
		require.NoError(t, err)
		each.environment = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")}
		for name, value := range map[string]string{
			"KAFKA_BROKERS": s.kafka.Brokers(), "DATABASE_URL": database.String(), "APPLIERS": "2", "LOG_FORMAT": "text", "KAFKA_SESSION_TIMEOUT": session.String(),
		} {
			each.environment = append(each.environment, each.prefix+name+"="+value)
		}
		if each.name == "orders" {
			each.environment = append(each.environment, "ORDERS_CART_TIME="+cartTime.String())
		}
		s.of = append(s.of, each)
		s.run(each, "migrate", "up")
		s.run(each, "topics", "create", "--partitions", "4")
	}
	for _, each := range s.of {
		each.workers = make([]*testbed.Process, 2)
		for i := range each.workers {
			s.start(each, i)
		}
	}
	return s
}

// run runs a subcommand to its end.
func (s *services) run(of *service, args ...string) {
	s.t.Helper()
	cmd := exec.Command(of.program, args...)
	cmd.Env = of.environment
	out, err := cmd.CombinedOutput()
	require.NoError(s.t, err, "%s %s\n%s", of.name, strings.Join(args, " "), out)
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
