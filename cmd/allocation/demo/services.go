package demo

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/dev"
)

// The variables of a service begin so.
const (
	ofStock     = ""
	ofOrders    = "ORDERS_"
	ofWarehouse = "WAREHOUSE_"
)

// What the demo has otherwise than the services do by themselves, for people who do not wait long.
const (
	cartTime  = "2m" // after which what is in a cart expires
	newerTime = 2 * time.Minute
)

// services are the processes of all three.
type services struct {
	*dev.Servers
	shop     string // its address
	programs string // the folder of the programs

	stock  []*dev.Companion
	orders *dev.Companion // its worker
	all    []*dev.Companion
	health []health
}

// health is where a worker says how it is.
type health struct{ worker, addr string }

// findPrograms finds the programs of the services, by their names.
func findPrograms() (map[string]string, error) {
	programs := map[string]string{}
	for _, name := range []string{"allocation", "orders", "warehouse"} {
		path, err := dev.Program(name)
		if err != nil {
			return nil, err
		}
		programs[name] = path
	}
	return programs, nil
}

// start makes the tables and topics of the services, and starts them.
func (x *services) start(ctx context.Context, programs map[string]string) (err error) {
	s := x.Servers
	x.programs = filepath.Dir(programs["allocation"])
	if strings.HasSuffix(x.shop, ":0") {
		if x.shop, err = s.FreeAddress(); err != nil {
			return err
		}
	}
	made, making := errgroup.WithContext(ctx)
	for prefix, name := range map[string]string{ofOrders: "orders", ofWarehouse: "warehouse"} {
		for _, command := range [][]string{{"migrate", "up"}, {"topics", "create"}} {
			made.Go(func() error {
				return s.Run(making, s.Variables(prefix), append([]string{programs[name]}, command...)...)
			})
		}
	}
	if err := made.Wait(); err != nil {
		return err
	}
	if err := makeIndexes(ctx, s.URL()); err != nil {
		return err
	}

	for _, name := range []string{"stock-1", "stock-2"} {
		c, err := x.worker(ctx, name, ofStock, programs["allocation"], "WAIT_FOR_NEWER_WORKER="+newerTime.String())
		if err != nil {
			return err
		}
		x.stock = append(x.stock, c)
	}
	if x.orders, err = x.worker(ctx, "orders-worker", ofOrders, programs["orders"], "ORDERS_CART_TIME="+cartTime); err != nil {
		return err
	}
	if _, err = x.worker(ctx, "warehouse-worker", ofWarehouse, programs["warehouse"]); err != nil {
		return err
	}
	x.add(s.Start(ctx, "orders-api", append(s.Variables(ofOrders), "ORDERS_API_ADDR="+x.shop), programs["orders"], "api"))
	x.add(s.Start(ctx, "warehouse-simulate", s.Variables(ofWarehouse), programs["warehouse"], "simulate", "--stock=50"))
	return nil
}

// worker starts a worker of a service, whose health is asked for.
func (x *services) worker(ctx context.Context, name, prefix, program string, more ...string) (*dev.Companion, error) {
	addr, err := x.FreeAddress()
	if err != nil {
		return nil, err
	}
	x.health = append(x.health, health{name, addr})
	return x.add(x.Start(ctx, name, append(append(x.Variables(prefix), prefix+"HTTP_ADDR="+addr), more...), program, "worker")), nil
}

func (x *services) add(c *dev.Companion) *dev.Companion {
	x.all = append(x.all, c)
	return c
}

// ready returns when all workers and the shop answer that they are ready.
func (x *services) ready(ctx context.Context) error {
	urls := []string{"http://" + x.shop + "/livez"}
	for _, h := range x.health {
		urls = append(urls, "http://"+h.addr+"/readyz")
	}
	for _, url := range urls {
		if err := cli.Until(ctx, func(ctx context.Context) (bool, error) { return isOK(ctx, url), nil }); err != nil {
			return err
		}
	}
	return nil
}

func isOK(ctx context.Context, url string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	_ = answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}

// wait waits until all processes have ended.
func (x *services) wait() {
	for _, c := range x.all {
		<-c.Done()
	}
}

// says is where what is, for the terminal.
func (x *services) says() []string {
	lines := []string{"  Shop      http://" + x.shop + "/", "  Health    of each worker, beside /metrics:"}
	for _, h := range x.health {
		lines = append(lines, fmt.Sprintf("            http://%s/readyz  %s", h.addr, h.worker))
	}
	lines = append(lines, "  Logs      of each process:")
	for _, c := range x.all {
		lines = append(lines, "            "+x.LogPath(c.Name()))
	}
	lines = append(lines, "", "The first page says whether all goods add up; the page Trouble has buttons to break things.",
		"In another terminal, in this folder, allocation, orders and warehouse are at your service:", "  "+x.path())
	for _, line := range x.exports() {
		lines = append(lines, "  "+line)
	}
	return lines
}

// path has a shell find the programs, wherever it is.
func (x *services) path() string { return "export PATH=" + cli.Quote(x.programs) + `:"$PATH"` }

// exports are what a shell needs before it runs the programs: nothing where the demo is where they
// look by themselves.
func (x *services) exports() (lines []string) {
	for _, prefix := range []string{ofStock, ofOrders, ofWarehouse} {
		lines = append(lines, x.Exports(prefix)...)
	}
	return lines
}

// indexes have the counts of the demo's own pages cost little. No service needs them.
var indexes = []string{
	`create index if not exists demo_orders_by_phase on orders.orders (phase)`,
	`create index if not exists demo_vips_due on orders.customers (id) where placed >= 3`,
	`create index if not exists demo_vips_told on orders.outbox (key) where type = 'CustomerBecameVIP'`,
}

func makeIndexes(ctx context.Context, url string) (err error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	for _, statement := range indexes {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return fmt.Errorf("make an index for the demo: %w", err)
		}
	}
	return nil
}
