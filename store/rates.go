package store

import "context"

// A partition's last transactions are enough to tell how fast it goes. More would cost more than
// they tell.
const ratesSQL = `
select p.topic, p.partition, sum(t.n)::float8 / case when count(*) < 50 then 60 else greatest(extract(epoch from clock_timestamp() - min(t.committed_at))::float8, 0.001) end
from positions p cross join lateral (
    select t.to_offset - t.from_offset as n, t.committed_at from transactions t
    where t.source = p.source and t.replays = p.replays and t.to_offset > t.from_offset
        and t.day >= (now() at time zone 'utc' - interval '1 minute')::date and t.day <= (now() at time zone 'utc')::date
    order by t.from_offset desc limit 50) t
where p.retired_at is null and t.committed_at > now() - interval '1 minute'
group by p.topic, p.partition`

// Rates are how many commands a second were applied of partitions in the last minute, by topic and
// partition. Where nothing was, there is none. It is enough to look at the last transactions.
func (s *Store) Rates(ctx context.Context) (map[string]map[int32]float64, error) {
	rates := map[string]map[int32]float64{}
	var topic string
	var partition int32
	var rate float64
	return rates, s.each(ctx, "read transactions", []any{&topic, &partition, &rate}, func() error {
		if rates[topic] == nil {
			rates[topic] = map[int32]float64{}
		}
		rates[topic][partition] = rate
		return nil
	}, ratesSQL)
}
