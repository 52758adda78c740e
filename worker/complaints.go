package worker

import (
	"log/slog"
	"sync"
	"time"
)

// complaints logs what goes wrong again and again, each thing once in a while.
type complaints struct {
	logger *slog.Logger

	mu   sync.Mutex
	last map[string]time.Time // by text
}

const (
	complainEvery = 10 * time.Second
	complaintsMax = 100 // texts that are remembered
)

func (c *complaints) warn(message string, err error, attrs ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	text, now := message+": "+err.Error(), time.Now()
	if now.Sub(c.last[text]) < complainEvery {
		return
	}
	if c.last == nil || len(c.last) >= complaintsMax {
		c.last = map[string]time.Time{}
	}
	c.last[text] = now
	c.logger.Warn(message, append(attrs, "error", err)...)
}
