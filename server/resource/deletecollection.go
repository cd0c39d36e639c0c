package resource

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"golang.org/x/sync/errgroup"
)

// deleters is how many objects of a collection are deleted side by side.
const deleters = 16

// DeleteCollection deletes all objects that a list with the same options gives, and returns that list. Objects that
// somebody else deletes meanwhile are no error; the first other failure ends it.
func (a *API) DeleteCollection(ctx context.Context, t Target, o metav1.DeleteOptions, lo metav1.ListOptions) (*List, error) {
	if err := a.mayDelete(t, o); err != nil {
		return nil, err
	}
	list, err := a.List(ctx, t, lo)
	if err != nil {
		return nil, err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(deleters)
	for _, it := range list.Items {
		g.Go(func() error {
			one := t.Named(it.Key.Name)
			one.Namespace = it.Key.Namespace
			if _, _, err := a.Delete(ctx, one, o); err != nil && !apierrors.IsNotFound(err) {
				return err
			}
			return nil
		})
	}
	return list, g.Wait()
}
