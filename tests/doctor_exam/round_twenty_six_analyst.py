"""Set-ups of the twenty-sixth round (analyst), ordinary right ones, written without knowing the checks.

1. churn yes/no from a table  2. house prices, standardised  3. customer segments, several classes
4. fraud with pos_weight  5. entity embeddings and numbers (sales)  6. ratings, matrix factorisation
7. implicit feedback, neural collaborative filtering  8. clicks, wide and deep  9. energy series, LSTM, next value
10. demand series, several steps ahead  11. reviews, averaged word vectors  12. support tickets, packed GRU
13. several tags per complaint  14. activity of accelerometers, 1D convolutions  15. machine sensors, autoencoder
16. claim counts, Poisson with exposure  17. delivery times, quantiles  18. two objectives: churn and spending
19. defects, class weights  20. ranking products, pairwise (BPR)
"""
