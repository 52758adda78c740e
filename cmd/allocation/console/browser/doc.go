// Package browser tests the console in Chromium: every page, in light and dark, on a wide and on a
// narrow screen, by keyboard, and without scripts. Its data come from a real worker.
package browser
