package worker

import (
	"time"

	"allocation/outbox"
)

// NewAttentive makes a worker that looks each second at what nobody tells it.
func NewAttentive(cfg Config, store Store, relay *outbox.Relay) (*Worker, error) {
	return newWorker(cfg, store, relay, periods{watch: time.Second, measure: time.Second})
}
