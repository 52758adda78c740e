package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// ours is the service's own program. It gets its batches as everybody would make them: by commands.
type ours struct{ path string }

func (o ours) prepare(ctx context.Context, a *arena) error {
	for _, arguments := range [][]string{{"topics", "create"}, {"migrate", "up"}} {
		if err := runProgram(ctx, o.path, arguments, a.environment()); err != nil {
			return err
		}
	}
	p, err := o.start(ctx, a)
	if err != nil {
		return err
	}
	defer p.kill()
	if err := a.send(ctx, products, createBatch, nil); err != nil {
		return err
	}
	if err := a.awaitEvents(ctx, p, products, time.Minute); err != nil {
		return fmt.Errorf("create batches: %w", err)
	}
	return p.stop()
}

func createBatch(i int) *kgo.Record {
	return &kgo.Record{
		Key:     []byte(sku(i)),
		Value:   fmt.Appendf(nil, `{"ref":%q,"sku":%q,"qty":1000000000}`, batchRef(i), sku(i)),
		Headers: []kgo.RecordHeader{{Key: "ce_type", Value: []byte("allocation.v1.CreateBatch")}},
	}
}

func (o ours) start(ctx context.Context, a *arena) (*process, error) {
	addr, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	p, err := startProcess(o.path, []string{"worker"}, append(a.environment(), "HTTP_ADDR="+addr))
	if err == nil {
		p.httpAddr = addr
	}
	return p, err
}

func freeAddress(ctx context.Context) (string, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer listener.Close()
	return listener.Addr().String(), nil
}

// stop reads the metrics before, because they are there only while it runs.
func (o ours) stop(ctx context.Context, p *process) (transactions, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.httpAddr+"/metrics", nil)
	if err != nil {
		return transactions{}, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return transactions{}, err
	}
	defer response.Body.Close()
	found, err := readBatchSizes(bufio.NewScanner(response.Body))
	return found, errors.Join(err, p.stop())
}

// readBatchSizes finds the mean, and the bound of the last bucket that holds more than the one
// before.
func readBatchSizes(lines *bufio.Scanner) (transactions, error) {
	const metric = "allocation_batch_commands"
	var sum, count, below float64
	largest := ""
	for lines.Scan() {
		name, text, _ := strings.Cut(lines.Text(), " ")
		if !strings.HasPrefix(name, metric+"_") {
			continue
		}
		value, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return transactions{}, fmt.Errorf("read metric %s: %w", name, err)
		}
		switch {
		case strings.HasPrefix(name, metric+"_sum"):
			sum = value
		case strings.HasPrefix(name, metric+"_count"):
			count = value
		case value > below:
			_, bound, _ := strings.Cut(name, `le="`)
			below, largest = value, "≤ "+strings.TrimRight(bound, `"}`)
		}
	}
	return transactions{sum / max(1, count), largest}, lines.Err()
}
