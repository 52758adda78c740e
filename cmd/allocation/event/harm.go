package event

import (
	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/operate/explain"
	"allocation/domain/product"
)

// Harm says how many order lines lose their batch by a command, and how many of them wait
// afterwards. Only a batch that is reduced takes a line's stock away against its order's will, and
// then each line that has to wait was one of those.
func Harm(byType map[string]int64) *explain.Harm {
	lose, wait := byType[string(product.LineDeallocated)], byType[string(product.LineOutOfStock)]
	if byType[string(product.BatchQuantityChanged)] == 0 || lose == 0 {
		return nil
	}
	return &explain.Harm{Says: loses(lose, wait), Counts: map[string]int64{"lines_losing_batch": lose, "of_these_waiting": wait}}
}

func loses(lose, wait int64) string {
	switch {
	case lose == 1 && wait == 1:
		return "1 line loses its batch, and waits afterwards"
	case lose == 1:
		return "1 line loses its batch, and is allocated again"
	}
	text := cli.Count(lose) + " lines lose their batch, and "
	switch wait {
	case 0:
		return text + "are all allocated again"
	case 1:
		return text + "1 of them waits afterwards"
	case lose:
		return text + "all of them wait afterwards"
	}
	return text + cli.Count(wait) + " of them wait afterwards"
}
