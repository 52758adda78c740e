package worker

import (
	"context"
	"time"
)

// runRecoverer claims doubtful lanes again. A fenced lane may belong to another worker by now, so it waits until a heartbeat after the
// fencing was answered and the lane is still assigned; then this worker is the rightful owner, whom a stalled one had fenced.
func (w *Worker) runRecoverer(stop context.Context) {
	for {
		due, wait := w.doubtfulLanes(time.Now())
		for _, l := range due {
			w.reclaim(stop, l)
		}
		if len(due) > 0 {
			continue
		}
		if !sleepUntilKicked(stop, w.recover, wait) {
			return
		}
	}
}

// unsettled is after how many claims in a row, some seconds apart, nothing more is expected of them.
const unsettled = 10

// sleepUntilKicked waits for a kick, or for a time if it is not 0; false when the context ended.
func sleepUntilKicked(ctx context.Context, kicked <-chan struct{}, wait time.Duration) bool {
	var after <-chan time.Time
	if wait > 0 {
		t := time.NewTimer(wait)
		defer t.Stop()
		after = t.C
	}
	select {
	case <-ctx.Done():
		return false
	case <-kicked:
	case <-after:
	}
	return ctx.Err() == nil
}

// doubtfulLanes are those to claim now, and when to look again if others must wait.
func (w *Worker) doubtfulLanes(now time.Time) (due []*lane, wait time.Duration) {
	const look = 50 * time.Millisecond
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, l := range w.lanes {
		if l.state != doubtful {
			continue
		}
		if l.busy || now.Before(l.retryAt) || !w.mayClaim(l) {
			wait = look
			continue
		}
		due = append(due, l)
	}
	return due, wait
}

// reclaim claims a lane again, drops everything that was known of it, and has the poll loop seek to its position.
func (w *Worker) reclaim(ctx context.Context, l *lane) {
	if !w.stillMayClaim(l) {
		return // the claims of others took a while
	}
	claim, log, err := w.claimAgain(ctx, l)
	w.mu.Lock()
	defer w.mu.Unlock()
	if l.state != doubtful {
		return // revoked meanwhile; its next owner claims after this
	}
	l.tries++
	if err != nil {
		l.retryAt = time.Now().Add(backoff(l.tries, 50*time.Millisecond, 2*time.Second))
		return
	}
	tries := l.tries
	w.noteLostCommits(l, claim)
	w.relay.Close(l.claim.Source.ID)
	l.adopt(claim)
	l.judge(log)
	if tries > unsettled {
		l.checked = noEpoch // the leader says that its epoch is lower than that of its records: that broker cannot be asked
	}
	l.tries, l.retryAt = tries, time.Now().Add(backoff(tries, 20*time.Millisecond, 2*time.Second)) // should it be fenced again at once
	l.state = seeking
	if w.wakePoll != nil {
		w.wakePoll()
	}
}

func (w *Worker) claimAgain(ctx context.Context, l *lane) (Claim, Log, error) {
	claim, log, err := w.tryToClaimAgain(ctx, l)
	if err != nil {
		w.claimFailed(err)
	}
	return claim, log, err
}

func (w *Worker) tryToClaimAgain(ctx context.Context, l *lane) (claim Claim, log Log, err error) {
	if err := w.mayClaimNow(ctx); err != nil {
		return claim, log, err
	}
	names := []topicPartition{l.name()}
	logs, err := w.logs(ctx, names)
	if err != nil {
		return claim, log, err
	}
	claims, err := w.claimFrom(ctx, names, logs)
	if err == nil {
		err = w.compare(ctx, claims, logs)
	}
	if err == nil {
		_, err = w.confirm(ctx, claims, w.wentBack(l, claims[0]))
	}
	if err != nil {
		return claim, log, err
	}
	return claims[0], logs[0], nil
}

// wentBack tells whether the database is behind what was committed, as noteLostCommits reports it.
func (w *Worker) wentBack(l *lane, claim Claim) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return lostCommits(l, claim)
}
