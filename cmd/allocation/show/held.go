package show

import (
	"fmt"

	"allocation/cmd/internal/cli"
	"allocation/store/products"
)

// printHeld says which products wait, and for what.
func printHeld(p *cli.Program, held []products.HeldView) error {
	for _, h := range held {
		waits := fmt.Sprintf("%s later commands wait", cli.Count(h.Waiting))
		if h.Waiting == 1 {
			waits = "1 later command waits"
		}
		_, err := fmt.Fprintf(p.Out, "\nproduct %s is held since %s by the dead letter %s (%s): %s\n",
			cli.Printable(h.SKU), cli.When(h.Since), cli.Printable(h.Letter.String()), cli.HeldText(&h.HeldKey), waits)
		if err != nil {
			return err
		}
	}
	return nil
}
