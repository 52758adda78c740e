package store

import (
	"context"
	"time"

	"allocation/worker"
)

const (
	troubledSQL = `
insert into fetch_troubles (source, token, since, why)
select source, token, since, why from unnest($1::int[], $2::uuid[], $3::timestamptz[], $4::text[]) v (source, token, since, why) where why <> '' order by source
on conflict (source) do update set token = excluded.token, since = excluded.since, why = excluded.why`

	untroubledSQL = `
delete from fetch_troubles f using unnest($1::int[], $2::uuid[], $3::text[]) v (source, token, why)
where f.source = v.source and f.token = v.token and v.why = ''`
)

// SaveTroubles writes down for people from which partitions nothing comes.
func (s *Store) SaveTroubles(ctx context.Context, troubles []worker.Trouble) error {
	n := len(troubles)
	sources, tokens, since, why := make([]int32, n), make([]worker.Token, n), make([]time.Time, n), make([]string, n)
	for i, t := range troubles {
		sources[i], tokens[i], since[i], why[i] = t.Source, t.Token, t.Since, t.Why
	}
	if err := s.exec(ctx, "save troubles", troubledSQL, sources, tokens, since, why); err != nil {
		return err
	}
	return s.exec(ctx, "save troubles", untroubledSQL, sources, tokens, why)
}
