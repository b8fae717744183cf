//go:build !profile

package main

// profile does nothing: programs that are built with -tags profile write one.
func profile() func() { return func() {} }
