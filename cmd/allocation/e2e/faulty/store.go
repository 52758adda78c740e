package main

import (
	"context"
	"sync"

	"allocation/worker"
)

// faultyStore strikes around the worker's calls.
type faultyStore struct {
	worker.Store
	fault *fault

	mu    sync.Mutex
	saved map[int32]int64 // the published row that the database has, by source
}

// Claim strikes before partitions are claimed.
func (s *faultyStore) Claim(ctx context.Context, requests []worker.ClaimRequest) ([]worker.Claim, error) {
	s.fault.reach(atAssigned)
	claims, err := s.Store.Claim(ctx, requests)
	for _, c := range claims {
		s.newly(c.Source.ID, c.Published)
	}
	return claims, err
}

// Apply strikes before a published row is written, and after a commit with rows to publish.
func (s *faultyStore) Apply(ctx context.Context, transaction worker.Transaction) (worker.Applied, error) {
	for _, l := range transaction.Moves {
		if s.newly(l.Source.ID, l.Published) {
			s.fault.reach(atAcked)
		}
	}
	applied, err := s.Store.Apply(ctx, transaction)
	if err == nil && anyRows(applied) {
		s.fault.reach(atCommitted)
	}
	return applied, err
}

// SavePublished strikes before and after published rows are written.
func (s *faultyStore) SavePublished(ctx context.Context, progress []worker.Progress) ([]int32, error) {
	for _, p := range progress {
		if s.newly(p.Source, p.Published) {
			s.fault.reach(atAcked)
		}
	}
	lost, err := s.Store.SavePublished(ctx, progress)
	if err == nil {
		s.fault.reach(atGroupStale)
	}
	return lost, err
}

// newly reports whether a source's published row is news to the database.
func (s *faultyStore) newly(source int32, row int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	had, known := s.saved[source]
	s.saved[source] = max(had, row)
	return known && row > had
}

func anyRows(applied worker.Applied) bool {
	for _, rows := range applied.Rows {
		if len(rows) > 0 {
			return true
		}
	}
	return false
}
