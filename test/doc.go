// Package test holds what needs a whole cluster: a real Docker Engine, kubectl, shells and terminals.
//
// One cluster serves all tests of the package (cluster_test.go); each test works in a namespace of its
// own, so that they run side by side. Tests that kill parts of a cluster start their own.
package test
