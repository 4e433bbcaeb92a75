// How often each species was seen at a site.
process COUNT {
    tag "${meta.id}"

    input:
    tuple val(meta), path(sightings)

    output:
    tuple val(meta), path("${meta.id}.tsv"), emit: counts

    script:
    """
    sort ${sightings} | uniq -c | awk '{ print \$2 "\\t" \$1 }' > ${meta.id}.tsv
    """
}
