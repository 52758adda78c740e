package main

import (
	"fmt"

	"allocation/store/products"
)

// printHeld says which products wait, and for what.
func (p *program) printHeld(held []products.HeldView) error {
	for _, h := range held {
		waits := fmt.Sprintf("%s later commands wait", count(h.Waiting))
		if h.Waiting == 1 {
			waits = "1 later command waits"
		}
		_, err := fmt.Fprintf(p.out, "\nproduct %s is held since %s by the dead letter %s (%s): %s\n",
			printable(h.SKU), when(h.Since), printable(h.Letter.String()), h.State, waits)
		if err != nil {
			return err
		}
	}
	return nil
}
