package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/deploy/testbed/storetest"
	"allocation/store"
)

// pageThrough reads all pages.
func pageThrough(b *storetest.Bench, p store.LetterPage) (offsets []int64, pages int) {
	b.T.Helper()
	for pages = 1; ; pages++ {
		read, err := b.LetterPage(b.T.Context(), p)
		require.NoError(b.T, err)
		for _, l := range read.Letters {
			offsets = append(offsets, l.ID.Offset)
		}
		if read.Next == (store.LetterMark{}) {
			return offsets, pages
		}
		var mark store.LetterMark
		require.NoError(b.T, mark.UnmarshalText([]byte(read.Next.String())))
		require.Equal(b.T, read.Next.String(), mark.String())
		p.After = mark
	}
}

// All letters come, once, whatever the order, the states and the filter; and a page looks at no
// more than so many.
func TestLetterPage_bounded(t *testing.T) {
	b := setup(t, 1)
	b.Do(add(0, "CHAIR", 1))
	b.Exec(`
insert into dead_letters (source, row_no, command_offset, reason, message, headers, key, state, recorded_at)
select 1, n, n, case when n % 7000 = 0 then 'rare' else 'unknown_key' end, '', '\x00', case when n % 1000 = 0 then 'A' end,
    case when n > 25000 then 'open' else 'discarded' end, now() - interval '1 day' + n / 3 * interval '1 ms' from generate_series(1, 30000) n`)
	b.Exec(`analyze dead_letters`)
	rare := store.LetterPage{LetterFilter: store.LetterFilter{Reasons: []string{"rare"}}, States: store.LetterStates(), Limit: 100}
	offsets, pages := pageThrough(b, rare)
	require.Equal(t, []int64{7000, 14000, 21000, 28000}, offsets)
	require.Equal(t, 4, pages)
	rare.Newest = true
	offsets, _ = pageThrough(b, rare)
	require.Equal(t, []int64{28000, 21000, 14000, 7000}, offsets)
	rare.States = []string{store.LetterOpen}
	offsets, pages = pageThrough(b, rare)
	require.Equal(t, []int64{28000}, offsets)
	require.Equal(t, 1, pages)
	offsets, pages = pageThrough(b, store.LetterPage{States: []string{store.LetterDiscarded}, Limit: 1000})
	require.Len(t, offsets, 25000)
	require.EqualValues(t, 25000, offsets[24999])
	require.Equal(t, 25, pages)
	partition := int32(7)
	offsets, _ = pageThrough(b, store.LetterPage{States: []string{store.LetterOpen}, Partition: &partition, Limit: 10})
	require.Empty(t, offsets)

	groups, cut, err := b.LetterGroups(t.Context(), []string{store.LetterOpen})
	require.NoError(t, err)
	require.False(t, cut)
	require.Equal(t, "unknown_key open", groups[0].Reason+" "+groups[0].State)
	total := int64(0)
	for _, g := range groups {
		total += g.Count
	}
	require.EqualValues(t, 5001, total)
	groups, cut, err = b.LetterGroups(t.Context(), store.LetterStates())
	require.NoError(t, err)
	require.True(t, cut)
	require.EqualValues(t, store.MaxSearched-1, groups[0].Count)
}
