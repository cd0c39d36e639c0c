package apitest

import (
	"errors"
	"sync/atomic"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	clienttesting "k8s.io/client-go/testing"
)

var errAway = errors.New("connection refused")

// Away has every request fail, as if there were no server, until back is called.
func (a API) Away() (back func()) {
	var away atomic.Bool
	away.Store(true)
	a.PrependReactor("*", "*", func(clienttesting.Action) (bool, runtime.Object, error) { return away.Load(), nil, errAway })
	a.PrependWatchReactor("*", func(clienttesting.Action) (bool, watch.Interface, error) { return away.Load(), nil, errAway })
	return func() { away.Store(false) }
}
