{{- define "elumenta.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 50 | trimSuffix "-" }}{{ else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "elumenta.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "elumenta.labels" -}}
{{ include "elumenta.selector" . }}
app.kubernetes.io/version: {{ .Values.image.tag | default .Chart.AppVersion | trunc 63 | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "elumenta.image" -}}
{{- if .Values.image.digest }}{{ .Values.image.repository }}@{{ .Values.image.digest }}{{ else }}{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ end }}
{{- end }}

{{- define "elumenta.replicas" -}}
{{- if eq .Values.database.type "sqlite" }}1{{ else }}{{ .Values.replicas }}{{ end }}
{{- end }}

{{/* The variables of the chart's own Secret; nothing where there are none. */}}
{{- define "elumenta.secrets" -}}
{{- $all := deepCopy .Values.secrets }}
{{- if eq .Values.database.type "postgres" }}
{{- if .Values.database.url }}{{ $_ := set $all "ELUMENTA_DATABASE" .Values.database.url }}{{ end }}
{{- if not (or .Values.existingSecret (hasKey $all "ELUMENTA_DATABASE")) }}
{{- fail "database.type postgres needs database.url, or an existingSecret with ELUMENTA_DATABASE" }}
{{- end }}
{{- else if .Values.database.url }}
{{- fail "database.url is for database.type postgres" }}
{{- end }}
{{- range $name, $value := $all }}
{{ $name }}: {{ $value | quote }}
{{- end }}
{{- end }}
