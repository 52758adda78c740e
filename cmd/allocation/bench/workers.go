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
	"sync"
	"syscall"
	"time"

	"allocation/cmd/internal/cli"
	"allocation/deploy/local"
	"allocation/deploy/local/child"
)

const (
	readyTime = time.Minute      // for a worker's start
	stopTime  = 40 * time.Second // for a worker's end: more than SHUTDOWN_TIMEOUT by default
)

var errExited = errors.New("exit code 0")

// workers are those that this program started.
type workers struct {
	all      []*worker
	logs     string        // the folder of their logs; empty where there are none
	stopping chan struct{} // closed before they are ended
	watchers sync.WaitGroup
}

type worker struct {
	process *child.Process
	url     string // of health and metrics
	log     string // a file
}

// startWorkers starts the plan's workers and returns when they are ready. They are to be ended even
// where its error is not nil. One that ends by itself ends the run.
func (r *run) startWorkers(ctx context.Context) (*workers, error) {
	started := &workers{stopping: make(chan struct{})}
	if r.plan.workers == 0 {
		return started, nil
	}
	var err error
	if started.logs, err = os.MkdirTemp("", "allocation-bench-*"); err != nil {
		return started, err
	}
	for i := range r.plan.workers {
		w, err := r.startWorker(filepath.Join(started.logs, fmt.Sprintf("worker-%d.log", i)))
		if err != nil {
			return started, err
		}
		started.all = append(started.all, w)
		started.watchers.Go(func() {
			<-w.process.Done()
			select {
			case <-started.stopping:
			default:
				r.fail(fmt.Errorf("a worker ended by itself: %w\n%s", cmp.Or(w.process.Err(), errExited), child.Tail(w.log)))
			}
		})
	}
	for _, w := range started.all {
		if err := w.awaitReady(ctx); err != nil {
			return started, fmt.Errorf("wait for a worker: %w\n%s", err, child.Tail(w.log))
		}
	}
	return started, nil
}

func (r *run) startWorker(path string) (*worker, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
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
	cmd := exec.Command(program, "worker") //nolint:noctx // it is ended in order
	cmd.Env = append(append(os.Environ(), r.environment...), "HTTP_ADDR="+address)
	cmd.Stdout, cmd.Stderr = log, log
	process, err := child.Start(cmd, syscall.SIGTERM)
	if err != nil {
		return nil, err
	}
	return &worker{process, "http://" + address, path}, nil
}

func (w *worker) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, readyTime, fmt.Errorf("not ready after %s", readyTime))
	defer cancel()
	return cli.Until(ctx, func(ctx context.Context) (bool, error) {
		answer, err := get(ctx, w.url+"/readyz")
		if err != nil {
			return false, nil //nolint:nilerr // it does not listen yet
		}
		return answer.StatusCode == http.StatusOK, answer.Body.Close()
	})
}

func get(ctx context.Context, url string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	return http.DefaultClient.Do(request)
}

// stop ends all in order, and removes their logs.
func (w *workers) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), stopTime)
	defer cancel()
	close(w.stopping)
	for _, one := range w.all {
		one.process.Signal(syscall.SIGTERM)
	}
	for _, one := range w.all {
		_ = one.process.End(ctx, syscall.SIGTERM)
	}
	w.watchers.Wait()
	_ = os.RemoveAll(w.logs)
}
