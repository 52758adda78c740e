// Package demo runs the whole story on one machine: orders, stock and a warehouse as processes of
// their own, with customers that never stop, a line that adds up, and troubles at the press of a
// button. It is the only package that knows all three services.
package demo
