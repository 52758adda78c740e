package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"allocation/deploy/local"
	"allocation/deploy/local/child"
)

const (
	readyTime = time.Minute      // for a worker's start
	stopTime  = 40 * time.Second // for a worker's end: more than SHUTDOWN_TIMEOUT by default
)

var errExited = errors.New("exit code 0")

// worker is one that this program started.
type worker struct {
	process *child.Process
	url     string // of health and metrics
	log     string // a file
}

// startWorkers starts the plan's workers. They are to be ended even where its error is not nil. One
// that ends by itself ends the run.
func (r *run) startWorkers() error {
	if r.plan.Workers == 0 {
		return nil
	}
	dir, err := os.MkdirTemp("", "allocation-bench-*")
	if err != nil {
		return err
	}
	r.logs = dir
	for i := range r.plan.Workers {
		w, err := r.startWorker(filepath.Join(dir, fmt.Sprintf("worker-%d.log", i)))
		if err != nil {
			return err
		}
		r.workers = append(r.workers, w)
		r.watchers.Go(func() {
			<-w.process.Done()
			r.fail(fmt.Errorf("a worker ended by itself: %w\n%s", cmp.Or(w.process.Err(), errExited), child.Tail(w.log)))
		})
	}
	return nil
}

func (r *run) startWorker(path string) (*worker, error) {
	port, err := local.FreePort()
	if err != nil {
		return nil, err
	}
	log, err := local.CreateLog(path)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	address := fmt.Sprintf("127.0.0.1:%d", port)
	cmd := exec.Command(r.site.Program, "worker") //nolint:noctx // it is ended in order
	cmd.Env = append(append(os.Environ(), r.site.Env...), "HTTP_ADDR="+address)
	cmd.Stdout, cmd.Stderr = log, log
	process, err := child.Start(cmd, syscall.SIGTERM)
	if err != nil {
		return nil, err
	}
	return &worker{process, "http://" + address, path}, nil
}

// awaitReady returns when every worker is ready.
func (r *run) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, readyTime, fmt.Errorf("not ready after %s", readyTime))
	defer cancel()
	for _, w := range r.workers {
		if err := w.awaitReady(ctx); err != nil {
			return fmt.Errorf("wait for a worker: %w\n%s", err, child.Tail(w.log))
		}
	}
	return nil
}

func (w *worker) awaitReady(ctx context.Context) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		answer, err := get(ctx, w.url+"/readyz")
		if err == nil {
			_ = answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
}

func get(ctx context.Context, url string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	return http.DefaultClient.Do(request)
}

// stopWorkers ends all in order, and removes their logs.
func (r *run) stopWorkers() {
	ctx, cancel := context.WithTimeout(context.Background(), stopTime)
	defer cancel()
	for _, w := range r.workers {
		w.process.Signal(syscall.SIGTERM)
	}
	for _, w := range r.workers {
		_ = w.process.End(ctx, syscall.SIGTERM)
	}
	r.watchers.Wait()
	if r.logs != "" {
		_ = os.RemoveAll(r.logs)
	}
}
