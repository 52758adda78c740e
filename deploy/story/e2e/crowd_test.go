package e2e

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// crowd are the customers, of whom some are there at a time. It decides whose command comes next,
// so that each one's keep their order, and those of others come between.
type crowd struct {
	*rand.Rand
	seed     uint64
	shoppers int
	skus     []string

	come  int // of the shoppers
	there []*visit
	sent  int
}

// visit is what is left to do for a customer.
type visit struct {
	steps []step
	due   int // when the next comes, as crowd counts
}

const crowded = 300 // customers who are there at a time

func newCrowd(seed uint64, shoppers int) *crowd {
	c := &crowd{Rand: rand.New(rand.NewPCG(seed, 1)), seed: seed, shoppers: shoppers}
	for n := range min(400, max(12, shoppers/25)) {
		c.skus = append(c.skus, "SKU"+strconv.Itoa(n+1))
	}
	return c
}

// next is the next command; false when all customers have gone.
func (c *crowd) next() (step, bool) {
	for {
		for c.come < c.shoppers && len(c.there) < crowded {
			c.come++
			c.there = append(c.there, &visit{steps: shop(c.seed, c.come, c.skus), due: c.sent + c.IntN(crowded)})
		}
		if len(c.there) == 0 {
			return step{}, false
		}
		i := c.choose()
		v := c.there[i]
		each := v.steps[0]
		v.steps = v.steps[1:]
		if len(v.steps) == 0 {
			c.there = slices.Delete(c.there, i, i+1)
		} else {
			v.due = c.sent + v.steps[0].pause
		}
		if each.kind != "" {
			c.sent++
			return each, true
		}
	}
}

// choose finds one whose time has come; where there is none, the one whose comes first.
func (c *crowd) choose() int {
	for range 10 {
		if i := c.IntN(len(c.there)); c.there[i].due <= c.sent {
			return i
		}
	}
	first := 0
	for i, v := range c.there {
		if cmp.Less(v.due, c.there[first].due) {
			first = i
		}
	}
	return first
}

// commands is how many commands the crowd sends in all.
func (c *crowd) commands() (n int) {
	for i := range c.shoppers {
		for _, each := range shop(c.seed, i+1, c.skus) {
			if each.kind != "" {
				n++
			}
		}
	}
	return n
}

// One seed gives the same commands, each customer's in order.
func TestCrowd_isRepeatedByItsSeed(t *testing.T) {
	t.Parallel()
	const shoppers = 2000
	a, b := newCrowd(7, shoppers), newCrowd(7, shoppers)
	kinds, last := map[string]int{}, map[string][]step{}
	for {
		each, more := a.next()
		again, _ := b.next()
		require.Equal(t, each, again)
		if !more {
			break
		}
		kinds[each.kind]++
		last[each.shopper] = append(last[each.shopper], each)
	}
	require.Len(t, last, shoppers)
	require.Equal(t, a.commands(), a.sent)
	for _, kind := range []string{"AddToCart", "RemoveFromCart", "PlaceOrder", "CancelOrder"} {
		require.Greater(t, kinds[kind], shoppers/4, kind)
	}
	for n := range shoppers {
		want := slices.DeleteFunc(shop(7, n+1, a.skus), func(s step) bool { return s.kind == "" })
		require.Equal(t, want, last["c"+strconv.Itoa(n+1)])
	}
}
