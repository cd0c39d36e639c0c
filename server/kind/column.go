package kind

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	none    = "<none>"
	unknown = "<unknown>"
	unset   = "<unset>"

	terminating = "Terminating"
)

var (
	nameColumn = metav1.TableColumnDefinition{
		Name: "Name", Type: "string", Format: "name", Description: metav1.ObjectMeta{}.SwaggerDoc()["name"],
	}
	ageColumn = column("Age", "string", metav1.ObjectMeta{}.SwaggerDoc()["creationTimestamp"])
)

func column(name, cellType, description string) metav1.TableColumnDefinition {
	return metav1.TableColumnDefinition{Name: name, Type: cellType, Description: description}
}

// wide is a column that shows with -o wide only.
func wide(name, description string) metav1.TableColumnDefinition {
	c := column(name, "string", description)
	c.Priority = 1
	return c
}

// age is the cell below ageColumn.
func age(obj metav1.Object) Age { return Age(obj.GetCreationTimestamp()) }

// or returns the text, or what to print where there is none.
func or(text, missing string) string {
	if text == "" {
		return missing
	}
	return text
}

// templateColumns are the wide columns of a kind that makes pods from a template.
var templateColumns = []metav1.TableColumnDefinition{
	wide("Containers", "Names of each container in the template."),
	wide("Images", "Images referenced by each container in the template."),
	wide("Selector", appsSelectorDoc),
}

const appsSelectorDoc = "Label selector for pods. It must match the pod template's labels."

// templateCells are the cells below templateColumns.
func templateCells(spec *corev1.PodSpec, selector *metav1.LabelSelector) []any {
	names := make([]string, len(spec.Containers))
	images := make([]string, len(spec.Containers))
	for i, c := range spec.Containers {
		names[i], images[i] = c.Name, c.Image
	}
	return []any{strings.Join(names, ","), strings.Join(images, ","), metav1.FormatLabelSelector(selector)}
}
