package kind

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// plainColumns are the table of a kind that has none of its own.
var plainColumns = []metav1.TableColumnDefinition{
	nameColumn,
	column("Created At", "date", metav1.ObjectMeta{}.SwaggerDoc()["creationTimestamp"]),
}

// plainCells are the cells below plainColumns.
func plainCells(obj metav1.Object) []any {
	return []any{obj.GetName(), obj.GetCreationTimestamp().UTC().Format(time.RFC3339)}
}
