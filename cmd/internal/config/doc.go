// Package config holds the settings of the program: flags and environment variables from one
// definition, and their validation.
//
// Settings are strings until Check reads them, so that all mistakes are reported together, before
// anything connects. Secrets have no flag: they come by the environment or from a file, which is
// read again for every connection, so that it can be rotated.
package config
