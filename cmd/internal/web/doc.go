// Package web is what all pages and answers by HTTP have in common: who may ask, what a browser may
// do with an answer, the files that pages load, and a server that ends.
package web
