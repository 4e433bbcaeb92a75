include { COUNT } from '../modules/count.nf'

process MERGE {
    publishDir params.outdir, mode: 'copy'

    input:
    path counts

    output:
    path 'survey.tsv'

    script:
    """
    cat ${counts} | awk '{ n[\$1] += \$2 } END { for (s in n) print s "\\t" n[s] }' | sort > survey.tsv
    """
}

workflow {
    sites = channel.fromPath(params.input)
        .splitCsv(header: true)
        .map { row -> [[id: row.site], file("${projectDir}/../data/${row.file}")] }
    COUNT(sites)
    MERGE(COUNT.out.counts.map { meta, counts -> counts }.collect())
}
