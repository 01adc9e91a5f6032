"""A refusal of another system is told by how it begins, and is no statement that somebody made."""

import pytest

from eval.refusals import reads_as_refusal

REFUSALS = [
    "I don't know.", "I'm sorry, I cannot answer that from the articles.", "Insufficient information.",
    "The provided articles do not mention Oslo.", "There is no information about that in the context.",
    "None of the articles say who paid.", "The documents don't say.", "Not mentioned in the articles.",
    "I don't have enough information to answer this question.", "I don’t know.", "I do not know.",
    "Unfortunately, the articles do not mention who paid.", "Based on the provided articles, I cannot answer that.",
    "There's no mention of Lviv.", "There’s no mention of a toll in Lviv in these articles.",
    "I'm unable to find an answer.", "I am unable to answer this question based on the given context.",
    "Not enough information.", "It is not possible to determine who paid.", "It's impossible to say from the articles.",
    "The question cannot be answered from the articles.", "This question can't be answered.",
    "According to the documents, there is no information about Lviv.", "We could not find any mention of Oslo.",
    "I couldn't find any information on that.", "Sorry, but the articles you provided do not mention Oslo.",
    "I apologize, but I cannot find that in the documents.", "My apologies. The articles don't say.", "No answer.",
    "No answer found.", "No information available.", "No relevant information was found in the articles.",
    "No evidence of that is given in the articles.", "There is no evidence in the articles that Oslo paid.",
    "No information is available on who paid for the harbour.", "No information about that.",
    "No information about the harbour's funding is provided.", "No details were found regarding the toll.",
    "No relevant information on this topic is available.", "No data was given as to the cost.",
    "No information is available.", "The answer is not in the articles.", "The answer is not provided in the context.",
    "This is not mentioned in the articles.", "That information is not provided.", "It is not stated in the articles.",
    "The information provided does not say who paid.", "The provided information doesn't mention Oslo.",
    "No article mentions Oslo.", "Nothing in the articles says who paid.", "The articles are silent on that.",
    "The articles make no mention of Oslo.", "The context does not contain the answer.", "Unknown.", "N/A",
    "The available articles contain no information about Oslo.", "I'm not sure.", "Not specified.", "Cannot answer.",
    "**I don’t know.**", "As an AI language model, I cannot answer that.", "It seems the articles do not mention Oslo.",
    "Answer: I don't know.", "The articles do not mention what the minister said.", "I have no information about that.",
    "The articles do not mention Lviv, but Kyiv officials said 19 died.", "From the given context, I can't tell.",
    "In the provided articles, there is no mention of Oslo.", "There isn't enough information to answer.",
    "Based on the context, it is unclear.", "Given the information provided, I cannot determine the toll.",
    "There are no articles about Oslo.", "The articles do not say, according to the articles.",
    "Based on the articles provided, there isn't any information about Oslo's payment.",
    "No answer to that can be found in the documents.", "I did not find an answer in the articles.",
    "Sorry, I don't have that information.", "The text does not provide this information.",
    "There is not enough information in the articles to say.", "The provided context doesn't include this.",
    "Unanswerable", "Insufficient Information", "None of the provided documents answers this.", "I found nothing.",
    "I cannot find any reference to Lviv, and the articles do not say what officials there said.", "I can’t say.",
    "Information not available.", "Not found.", "No mention of Lviv in the articles.",
    "The sources provided don't cover this.", "I regret that I cannot answer.",
    "Based on the articles alone I cannot tell.", "Your articles don't say.",
    "The articles don't say who paid, and neither does the context.", "I was unable to find that.",
    "We do not have any details about that.", "It cannot be determined from the articles.",
    "Information about this is not available in the articles.", "I have not found any information on that.",
    "My sources don't cover that.", "There were no mentions of Lviv in the articles.",
]  # fmt: skip
ANSWERS = [
    "Oslo paid.", "No country paid more than Oslo.", "The articles say that Oslo paid.", "Oslo said it did not know.",
    "No answer came from Moscow on Friday.", "No evidence was found of sabotage, the police said.",
    "The documents do not mention Poland, Tusk said.", "“I don’t know,” Tusk said.",
    '"I do not know," said the minister.', "No information was released by the police on Friday.",
    "No evidence of sabotage was found.", "There is no evidence of sabotage.",
    "There is no evidence of sabotage, police say.", "No details were released on Friday.",
    "No mention of Poland was made by Trump.", "Unknown gunmen attacked the town.",
    "It is not possible to say who won, the commission said on Monday.",
    "We cannot tell how many died, said Mayor Klitschko.", "No, Oslo did not pay.", "None paid.", "No one paid.",
    "No information about the victims was given, according to the police.",
    "In the documents, Oslo promised 5 million.", "According to the articles, Oslo paid.",
    "Based on the articles, 19 people died.", "Unfortunately, 19 people died.", "Not in Oslo but in Rome.",
    "Not enough, Zelensky said.", "It is unclear who fired first.", "Insufficient evidence led to his release.",
    "The answer is 42.", "This is not the first attack.", "Nothing was paid.", "The question was answered by Tusk.",
    "Sadly, four children.", "I Corps did.", "We Are Wales did.", "The information came from Poland.",
    "No answers were given by Moscow.",
    "The sources of the leak are not known, officials, who asked not to be named, said.",
    "No evidence, the police said, was found of sabotage.", "That is not true, Tusk said.",
    "It is not known how many died.", "Sorry, the hit song by Justin Bieber.", "No Answer is an album by ELO.",
    "There are no details yet, Rutte told reporters.", "I don't know when it ends, Trump told reporters on Friday.",
]  # fmt: skip


@pytest.mark.parametrize("text", REFUSALS)
def test_a_refusal_in_words_is_a_refusal(text: str) -> None:
    assert reads_as_refusal(text)


@pytest.mark.parametrize("text", ANSWERS)
def test_an_answer_in_words_is_no_refusal(text: str) -> None:
    assert not reads_as_refusal(text)
