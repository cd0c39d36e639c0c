package rest

import (
	"fmt"
	"net/url"
	"strings"
	"unicode"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/conversion"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// maxManager is how many bytes of the User-Agent become a field manager's name.
const maxManager = 128

// options reads query parameters by one of the converters that are generated beside each options type.
func options[T any](c *call, convert func(*url.Values, *T, conversion.Scope) error) (T, error) {
	var o T
	if err := convert(&c.query, &o, nil); err != nil {
		return o, apierrors.NewBadRequest(fmt.Sprintf("reading the parameters: %v", err))
	}
	return o, nil
}

func (c *call) getOptions() (metav1.GetOptions, error) {
	return options(c, metav1.Convert_url_Values_To_v1_GetOptions)
}

func (c *call) listOptions() (metav1.ListOptions, error) {
	return options(c, metav1.Convert_url_Values_To_v1_ListOptions)
}

func (c *call) createOptions() (metav1.CreateOptions, error) {
	o, err := options(c, metav1.Convert_url_Values_To_v1_CreateOptions)
	o.FieldManager = c.manager(o.FieldManager)
	return o, err
}

func (c *call) updateOptions() (metav1.UpdateOptions, error) {
	o, err := options(c, metav1.Convert_url_Values_To_v1_UpdateOptions)
	o.FieldManager = c.manager(o.FieldManager)
	return o, err
}

// patchOptions leaves an apply without a manager: it must name its own.
func (c *call) patchOptions(apply bool) (metav1.PatchOptions, error) {
	o, err := options(c, metav1.Convert_url_Values_To_v1_PatchOptions)
	if !apply {
		o.FieldManager = c.manager(o.FieldManager)
	}
	return o, err
}

// deleteOptions come in the body, or else in the parameters.
func (c *call) deleteOptions() (metav1.DeleteOptions, error) {
	data, err := c.body()
	if err != nil {
		return metav1.DeleteOptions{}, err
	}
	if len(data) == 0 {
		return options(c, metav1.Convert_url_Values_To_v1_DeleteOptions)
	}
	// They are the same in every group, and clients name the one that they are working in.
	var first error
	for _, gv := range []schema.GroupVersion{{Version: "v1"}, c.info.GroupVersion(), metav1.SchemeGroupVersion} {
		var o metav1.DeleteOptions
		if err = c.decodeBytes(data, &o, gv.WithKind("DeleteOptions")); err == nil {
			return o, nil
		}
		if first == nil {
			first = err
		}
	}
	return metav1.DeleteOptions{}, first
}

// manager is who owns the fields written: named by the request, or the program's name in its User-Agent.
func (c *call) manager(given string) string {
	if given != "" {
		return given
	}
	name, _, _ := strings.Cut(c.r.UserAgent(), "/")
	printable := strings.Builder{}
	for _, r := range name {
		if printable.Len()+len(string(r)) > maxManager {
			break
		}
		if unicode.IsPrint(r) {
			printable.WriteRune(r)
		}
	}
	return printable.String()
}
