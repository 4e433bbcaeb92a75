// Another pipeline with the same module, under another name, in a workflow of its own.
include { COUNT as SIGHTINGS } from '../modules/count.nf'

process MOST {
    tag "${meta.id}"

    input:
    tuple val(meta), path(counts)

    output:
    stdout

    script:
    """
    sort -k2,2nr -k1,1 ${counts} | head -n 1 | sed 's/^/${meta.id} (${meta.kind}): /'
    """
}

workflow REPORT {
    take:
    sites

    main:
    SIGHTINGS(sites)
    MOST(SIGHTINGS.out.counts)

    emit:
    lines = MOST.out
}

workflow {
    sites = channel.fromPath(params.input)
        .splitCsv(header: true)
        .map { row -> [[id: row.site, kind: row.kind], file("${projectDir}/../data/${row.file}")] }
    REPORT(sites)
    REPORT.out.lines.collectFile(name: 'report.txt', storeDir: params.outdir, sort: true)
}
